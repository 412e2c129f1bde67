import { parseArgs } from 'node:util';
import type { Plan } from './context.ts';
import { KINDS, type Kind } from './stores.ts';

const PART_TEXTS = {
  keys: 'what a check of a key costs beside bare Koa: keys at random, by Zipf, and one caller alone',
  verify: 'what it costs to ask about the keys of others: one by one, in batches, and as nginx asks',
  paced: 'how long callers wait at 1,000 and 3,000 requests a second',
  peers: 'a check of a key beside Better Auth, and beside one query for each request',
  revoke: 'what a revoke costs while 64 connections are served',
  admin: 'lists of a large tenant on MariaDB',
  'admin-sqlite': 'the same on SQLite',
  memory: 'two million requests from 100,000 addresses',
  compare: 'the processor time of other builds, options or releases of Node ÷ that of what stands here',
} as const;
export type Part = keyof typeof PART_TEXTS;
const USUAL: Part[] = ['keys', 'verify', 'paced', 'revoke'];

const USAGE = `npm run bench -- [part …] [options]

Parts (${USUAL.join(', ')} unless named):
${Object.entries(PART_TEXTS)
  .map(([part, text]) => `  ${part.padEnd(14)} ${text}`)
  .join('\n')}

--quick               less data and shorter runs: to see that it works
--json                the figures of every run, as JSON on standard output
--database <name>     on MariaDB or SQLite alone
--keys <number>       of databases of this size alone; may be given several times, from few to many
--every-key           keys: also every key of a database at random, in place of 10,000 of them; filling takes longer
--requests <number>   memory: how many requests are made
--rounds <number>     how many steady rounds are made
--seconds <number>    how long each full load lasts
--against <commit>    compare: a commit that is built beside this one; may be given several times
--options="<options>" compare, memory: options of Node in place of the Procfile's; may be given several times
--node <release>      compare, memory: a release of Node in place of this one; may be given several times`;

const FULL: Plan = {
  databases: KINDS,
  sizes: [1_000, 1_000_000],
  tenantKeys: 100_000,
  history: 5_000_000,
  everyKey: false,
  memoryRequests: 2_000_000,
  rounds: 3,
  seconds: 1.5,
  singleSeconds: 0.5,
  pacedSeconds: 3,
  warmSeconds: 2,
};
const QUICK: Plan = {
  ...FULL,
  sizes: [1_000, 50_000],
  tenantKeys: 10_000,
  history: 100_000,
  memoryRequests: 200_000,
  rounds: 2,
  seconds: 0.7,
  singleSeconds: 0.3,
  pacedSeconds: 1,
  warmSeconds: 1,
};

/** What the bench is to do; ends the process with the reason where that is not understood. */
export function readArguments(args: string[]) {
  const { values, positionals } = parsed(args);
  if (values.help) end(0, USAGE);
  const parts = positionals.map((part) =>
    part in PART_TEXTS ? (part as Part) : end(1, `There is no part "${part}".`),
  );
  const plan = values.quick ? QUICK : FULL;
  const kind = KINDS.find((one) => one.toLowerCase() === values.database?.toLowerCase());
  if (values.database !== undefined && !kind) end(1, `There is no database "${values.database}".`);
  const numberOf = (name: string, text: string) => {
    const value = Number(text);
    return value > 0 ? value : end(1, `--${name} wants a number above 0.`);
  };
  const sizes = values.keys.map((text) => numberOf('keys', text));
  const asked: Plan = {
    ...plan,
    ...(kind && { databases: [kind] satisfies Kind[] }),
    ...(sizes.length > 0 && { sizes }),
    everyKey: values['every-key'],
    ...(values.requests !== undefined && { memoryRequests: numberOf('requests', values.requests) }),
    ...(values.rounds !== undefined && { rounds: numberOf('rounds', values.rounds) }),
    ...(values.seconds !== undefined && { seconds: numberOf('seconds', values.seconds) }),
  };
  const { json, against, options, node: nodes } = values;
  return { parts: parts.length > 0 ? parts : USUAL, plan: asked, json, against, options, nodes };
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        database: { type: 'string' },
        keys: { type: 'string', multiple: true, default: [] },
        'every-key': { type: 'boolean', default: false },
        requests: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        against: { type: 'string', multiple: true, default: [] },
        options: { type: 'string', multiple: true, default: [] },
        node: { type: 'string', multiple: true, default: [] },
      },
    });
  } catch (error) {
    return end(1, (error as Error).message);
  }
}

function end(code: number, text: string): never {
  console.error(code === 0 ? text : `${text}\n\n${USAGE}`);
  process.exit(code);
}
