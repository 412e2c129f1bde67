import { text } from 'node:stream/consumers';
import { run } from './admin/run.ts';

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  readInput: async () => text(process.stdin),
  write: (line) => process.stdout.write(`${line}\n`),
  complain: (line) => process.stderr.write(`${line}\n`),
});
