import type { Command } from './command.ts';

/** Every command with what it takes, on a screen. */
export function help(commands: readonly Command[]): string {
  return [
    'usage: npm run -s admin -- <command> [options]',
    '',
    ...commands.flatMap((command) => [`  ${usageOf(command)}`, `      ${command.about}`]),
    '',
    'Every command takes --json, for scripts. The environment is that of the server: see docs/operating.md.',
    'Exit codes: 0 done, 1 could not be done, 2 not understood.',
  ].join('\n');
}

function usageOf({ name, operand, options }: Command): string {
  const shown = Object.entries(options).map(([option, { value, required }]) => {
    const text = value === undefined ? `--${option}` : `--${option} ${value}`;
    return required ? text : `[${text}]`;
  });
  return [name, ...(operand === undefined ? [] : [operand]), ...shown].join(' ');
}
