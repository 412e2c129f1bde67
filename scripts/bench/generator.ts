import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Load, Outcome } from './load.ts';
import { requestTexts } from './requests.ts';

// A load generator that costs the machine as little as JavaScript can: every request is a buffer made beforehand, each
// connection has one request under way, and of an answer only its status and its length are read.

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const LARGEST_ANSWER = 256 * 1024;
/** One counter for each microsecond, up to two seconds. */
const latencies = new Uint32Array(2_000_000);

process.on('message', (load: Load) => {
  run(load).then(
    (outcome) => process.send?.({ outcome }),
    (error: unknown) => process.send?.({ failed: String(error) }),
  );
});
process.on('disconnect', () => process.exit());

/** A connection with at most one request under way. */
interface Connection {
  /** `since` is when the request should have been sent, from which its latency counts. */
  send(request: Buffer, since: number): void;
  end(): void;
}

type OnAnswer = (connection: Connection, status: number, since: number) => void;

async function run(load: Load): Promise<Outcome> {
  const requests = requestsOf(load);
  const next = () => requests[(Math.random() * requests.length) | 0] as Buffer;
  latencies.fill(0);
  const statuses = new Map<number, number>();
  let answered = 0;
  let lastAnswer = 0;
  let failed: (error: Error) => void = () => undefined;
  const failure = new Promise<never>((_, reject) => (failed = reject));
  let goOn: (connection: Connection) => void = () => undefined;
  const onAnswer: OnAnswer = (connection, status, since) => {
    lastAnswer = performance.now();
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    const latency = Math.min(latencies.length - 1, Math.round((lastAnswer - since) * 1000));
    latencies[latency] = (latencies[latency] ?? 0) + 1;
    answered++;
    goOn(connection);
  };
  const opening = Array.from({ length: load.connections }, async () => opened(load.port, onAnswer, failed));
  const connections = await Promise.race([Promise.all(opening), failure]);
  const began = performance.now();
  const until = began + load.seconds * 1000;
  const over = new Promise<void>((resolve) => {
    const drive = load.perSecond === undefined ? atOnce : paced(load.perSecond);
    goOn = drive({ connections, next, until, done: resolve });
  });
  await Promise.race([over, failure]);
  for (const connection of connections) connection.end();
  return {
    perSecond: answered / ((lastAnswer - began) / 1000),
    answered,
    refused: Object.fromEntries([...statuses].filter(([status]) => status !== 200)),
    p50Ms: quantile(answered, 0.5),
    p99Ms: quantile(answered, 0.99),
    p999Ms: quantile(answered, 0.999),
  };
}

interface Run {
  connections: readonly Connection[];
  next: () => Buffer;
  until: number;
  done: () => void;
}

/** Every connection sends its next request as soon as it has its answer; gives what to do with one that has. */
function atOnce({ connections, next, until, done }: Run): (connection: Connection) => void {
  let atWork = connections.length;
  for (const connection of connections) connection.send(next(), performance.now());
  return (connection) => {
    const now = performance.now();
    if (now < until) connection.send(next(), now);
    else if (--atWork === 0) done();
  };
}

/** Requests are sent as their time comes; one for which no connection is free waits, which counts as its latency. */
function paced(perSecond: number) {
  return ({ connections, next, until, done }: Run): ((connection: Connection) => void) => {
    const free = [...connections];
    const late: number[] = [];
    const began = performance.now();
    let due = 0;
    const look = () => {
      const now = performance.now();
      for (const all = ((now - began) / 1000) * perSecond; due < all; due++) {
        const connection = free.pop();
        if (connection) connection.send(next(), now);
        else late.push(now);
      }
      if (now < until) setTimeout(look, 1);
      else if (free.length === connections.length) done();
    };
    look();
    return (connection) => {
      const since = late.shift();
      if (since !== undefined) connection.send(next(), since);
      else free.push(connection);
      if (performance.now() >= until && free.length === connections.length) done();
    };
  };
}

async function opened(port: number, onAnswer: OnAnswer, failed: (error: Error) => void): Promise<Connection> {
  return new Promise((resolve) => {
    let since = 0;
    let partial: Buffer | undefined;
    let ended = false;
    const onBytes = (bytes: Buffer) => {
      const answer = partial ? Buffer.concat([partial, bytes]) : bytes;
      const end = endOf(answer);
      if (end === undefined || answer.length < end) {
        // The socket's buffer is used again for the next bytes.
        partial = Buffer.from(answer);
        return;
      }
      partial = undefined;
      onAnswer(connection, statusOf(answer), since);
    };
    const socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(LARGEST_ANSWER),
        callback: (length, buffer) => {
          onBytes((buffer as Buffer).subarray(0, length));
          return true;
        },
      },
    });
    const connection: Connection = {
      send: (request, at) => {
        since = at;
        socket.write(request);
      },
      end: () => {
        ended = true;
        socket.end();
      },
    };
    socket.once('error', failed);
    socket.once('close', () => {
      if (!ended) failed(new Error('the server closed a connection'));
    });
    socket.once('connect', () => resolve(connection));
  });
}

/** Where the answer ends, as its head says; undefined while the head is not whole. */
function endOf(answer: Buffer): number | undefined {
  const head = answer.indexOf(END_OF_HEAD);
  if (head === -1) return undefined;
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.toString('latin1', 0, head));
  if (!length) throw new Error('an answer without a length');
  return head + END_OF_HEAD.length + Number(length[1]);
}

/** `HTTP/1.1 200`: three digits at a fixed place. */
function statusOf(answer: Buffer): number {
  const digit = (at: number) => (answer[at] ?? 0) - 48;
  return digit(9) * 100 + digit(10) * 10 + digit(11);
}

function quantile(count: number, share: number): number {
  let seen = 0;
  for (let microseconds = 0; microseconds < latencies.length; microseconds++) {
    seen += latencies[microseconds] ?? 0;
    if (seen >= count * share) return microseconds / 1000;
  }
  return NaN;
}

/** The keys of each file, which rounds use again. */
const keysOf = new Map<string, string[]>();

function requestsOf({ shape, keysFile, addresses = 0, port }: Load): Buffer[] {
  let keys = keysOf.get(keysFile);
  if (!keys) keysOf.set(keysFile, (keys = readFileSync(keysFile, 'utf8').trim().split('\n')));
  const buffers = new Map<string, Buffer>();
  return requestTexts(shape, keys, port, addresses).map((text) => {
    let buffer = buffers.get(text);
    if (!buffer) buffers.set(text, (buffer = Buffer.from(text, 'latin1')));
    return buffer;
  });
}
