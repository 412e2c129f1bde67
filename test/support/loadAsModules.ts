import Module from 'node:module';
import { pathToFileURL } from 'node:url';

type Loader = (module: { exports: unknown }, path: string) => void;

const { _extensions: loaders } = Module as unknown as { _extensions: Record<string, Loader> };

// Mocha asks for test files with require(), for which tsx would turn them, and the application with them, into CommonJS:
// another module system than production's, with other default imports. Mocha awaits what it is given, so it gets an import.
loaders['.test.ts'] = (module, path) => {
  module.exports = import(pathToFileURL(path).href);
};
