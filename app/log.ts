import { pino, type DestinationStream, type Logger } from 'pino';
import type { PrettyOptions } from 'pino-pretty';
import type { Config } from './config.ts';
import { importOnDemand } from './importOnDemand.ts';
import { repeat } from './timing.ts';

/** The process's log; requests have a door of their own, since nothing else is written as often. */
export type Log = Logger & { request: (line: RequestLine) => void };

/** A request's line in the log; every text in it needs no JSON escape. */
export interface RequestLine {
  requestId: string;
  method: string;
  route: string;
  status: number;
  ms: number;
  address: string;
}

/** How long a line may wait for others before they are written together. */
const FLUSH_MS = 100;
const BLOCK_BYTES = 32_768;
/** At most, for what counts as one of a text's length. */
const BYTES_OF_A_CHARACTER = 3;

/** Readable lines on a terminal, one JSON object a line elsewhere. */
export function createLog(level: Config['logLevel'], destination: DestinationStream = standardOutput()): Log {
  const log = pino({ level, base: null, timestamp }, destination);
  const request = ({ requestId, method, route, status, ms, address }: RequestLine): void => {
    if (!log.isLevelEnabled('info')) return;
    destination.write(
      `{"level":30${timestamp()},"requestId":"${requestId}","method":"${method}","route":"${route}",` +
        `"status":${status},"ms":${ms},"address":"${address}","msg":"request"}\n`,
    );
  };
  return Object.assign(log, { request });
}

/** For a person each line is one line: a page asks for several things, and none should push what was said off the screen. */
const ON_ONE_LINE: PrettyOptions = {
  singleLine: true,
  ignore: 'pid,hostname,requestId,method,route,status,ms,address',
  messageFormat: (line, messageKey) => {
    const { requestId, method, route, status, ms, address } = line as Partial<RequestLine>;
    const named = requestId === undefined ? '' : ` (request ${requestId})`;
    if (method === undefined || status === undefined) return `${String(line[messageKey])}${named}`;
    return `${method} ${route ?? ''} ${status} in ${ms ?? 0} ms, from ${address ?? ''}${status < 400 ? '' : named}`;
  },
};

function standardOutput(): DestinationStream {
  if (process.stdout.isTTY) {
    const pretty = importOnDemand('pino-pretty') as typeof import('pino-pretty');
    return pretty({ colorize: true, translateTime: 'SYS:HH:MM:ss', ...ON_ONE_LINE, sync: true });
  }
  const output = pino.destination({ sync: false, contentMode: 'buffer' });
  // Pino's type of the destination takes texts alone; in this mode it writes buffers.
  const blocks = blockStream((block) => output.write(block as unknown as string));
  repeat(FLUSH_MS, blocks.pass);
  process.on('exit', () => {
    blocks.pass();
    output.flushSync();
  });
  return blocks;
}

/** Gathers lines and writes them as one block, since a write costs a request more than its line does. */
export function blockStream(output: (block: Buffer) => void): DestinationStream & { pass: () => void } {
  let block = Buffer.allocUnsafe(BLOCK_BYTES);
  let length = 0;
  const pass = () => {
    if (length === 0) return;
    output(block.subarray(0, length));
    block = Buffer.allocUnsafe(BLOCK_BYTES);
    length = 0;
  };
  return {
    pass,
    write(line) {
      const most = line.length * BYTES_OF_A_CHARACTER;
      if (length + most > BLOCK_BYTES) pass();
      if (most > BLOCK_BYTES) output(Buffer.from(line));
      else length += block.write(line, length);
    },
  };
}

let second = 0;
let secondText = '';

/** The time as ISO text; the part down to the second is made once a second, not once a line. */
function timestamp(): string {
  const now = Date.now();
  const current = Math.floor(now / 1000);
  if (current !== second) {
    second = current;
    secondText = `,"time":"${new Date(current * 1000).toISOString().slice(0, 20)}`;
  }
  return `${secondText}${String(now % 1000).padStart(3, '0')}Z"`;
}
