import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { ZodType } from 'zod';
import { AppError, type FieldError } from '../../app/errors.ts';
import { fieldErrors } from '../../app/http/fieldErrors.ts';
import { readRate, type Rate } from '../../app/domain/rate.ts';
import { textsIn } from '../../app/locales/texts.ts';
import { UsageError } from './commandErrors.ts';

/** No option takes a list, though the parser's types allow it. */
type Values = Readonly<Record<string, string | boolean | undefined>>;

/** The arguments that a command takes. */
export interface TakesArgs {
  /** Two words at most: `tenant create`. */
  name: string;
  /** The operand after the command's name, such as the id of a key. */
  operand?: string;
  options: Readonly<Record<string, Option>>;
}

/** An option; without a name for its value it is a mere flag. */
export interface Option {
  value?: string;
  required?: boolean;
}

/** The arguments of a command, every option checked to be one of its own. */
export class Args {
  readonly json: boolean;
  readonly #values: Values;
  readonly #operand: string | undefined;

  private constructor(values: Values, operand: string | undefined) {
    this.#values = values;
    this.#operand = operand;
    this.json = values['json'] === true;
  }

  /** Parses the arguments after a command's name; throws a UsageError that names the first fault. */
  static of(command: TakesArgs, words: readonly string[]): Args {
    const { values, positionals, tokens } = parsed(command, words);
    const [operand, extra] = positionals;
    if (extra !== undefined || (operand !== undefined && !command.operand)) {
      throw new UsageError(`${command.name} does not take "${extra ?? operand ?? ''}"`);
    }
    if (operand === undefined && command.operand) throw new UsageError(`${command.name} needs ${command.operand}`);
    const given = tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []));
    const repeated = given.find((name, at) => given.indexOf(name) !== at);
    if (repeated !== undefined) throw new UsageError(`--${repeated} is given more than once`);
    for (const [name, { required }] of Object.entries(command.options)) {
      if (required && values[name] === undefined) throw new UsageError(`${command.name} needs --${name}`);
    }
    return new Args(values as Values, operand);
  }

  get operand(): string {
    if (this.#operand === undefined) throw new Error('this command takes no operand');
    return this.#operand;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  /** The text of an option that may be left out. */
  optional(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** The text of an option that the command requires. */
  text(name: string): string {
    const value = this.optional(name);
    if (value === undefined) throw new Error(`--${name} is not marked as required`);
    return value;
  }

  /** The number of an option that may be left out. */
  wholeNumber(name: string): number | undefined {
    const text = this.optional(name);
    if (text !== undefined && !/^\d{1,9}$/.test(text)) throw new UsageError(`--${name}: Must be a whole number`);
    return text === undefined ? undefined : Number(text);
  }

  /** The requests and seconds of an option that may be left out, as the settings of limits have them: `600/60`. */
  rate(name: string): Rate | undefined {
    const text = this.optional(name);
    const rate = text === undefined ? undefined : readRate(text);
    if (text !== undefined && !rate) throw new UsageError(`--${name}: Must be requests/seconds, such as 600/60`);
    return rate;
  }

  /** An option's value as the schema reads it; an absent one is undefined to the schema as well. */
  read<T>(name: string, schema: ZodType<T>): T {
    const result = schema.safeParse(this.optional(name), { reportInput: true });
    if (result.success) return result.data;
    throw optionRefused(fieldErrors(result.error), name);
  }

  /** Several options as one schema reads them; its fields are the options' names in camel case. */
  readAll<T>(schema: ZodType<T>, fields: Readonly<Record<string, unknown>>): T {
    const result = schema.safeParse(fields, { reportInput: true });
    if (result.success) return result.data;
    throw optionRefused(fieldErrors(result.error));
  }

  /** Runs an action; what it refuses for the sake of a field is told by the option that gave it. */
  async run<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof AppError && error.errors !== undefined) throw optionRefused(error.errors);
      throw error;
    }
  }
}

/** The first of the faults, in English, by the option that is named or that gave the field. */
function optionRefused([first]: readonly FieldError[], name?: string): UsageError {
  const { path, problem } = first ?? { path: '', problem: { key: 'invalid' as const } };
  const option = name ?? path.replace(/\..*/, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return new UsageError(`--${option}: ${textsIn('en').problemText(problem)}`);
}

function parsed(command: TakesArgs, words: readonly string[]) {
  const options: NonNullable<ParseArgsConfig['options']> = { json: { type: 'boolean' } };
  for (const [name, { value }] of Object.entries(command.options)) {
    options[name] = { type: value === undefined ? 'boolean' : 'string' };
  }
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true, strict: true, tokens: true });
  } catch (error) {
    // Only Node's first sentence is shown; the rest explains positional arguments to programmers.
    const [sentence = ''] = (error instanceof Error ? error.message : '').split(/\.?\s*(?:To specify|$)/);
    throw new UsageError(`${command.name}: ${sentence}`);
  }
}
