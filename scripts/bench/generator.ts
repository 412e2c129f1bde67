import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { Load, Outcome } from './load.ts';
import { PATH } from './answer.ts';

// A load generator that costs the machine as little as JavaScript can: every request is a buffer made beforehand, each
// connection has one request under way, and of an answer only its status and its length are read.

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const LARGEST_ANSWER = 64 * 1024;
/** One counter for each microsecond, up to two seconds. */
const latencies = new Uint32Array(2_000_000);

process.on('message', (load: Load) => {
  run(load).then(
    (outcome) => process.send?.({ outcome }),
    (error: unknown) => process.send?.({ failed: String(error) }),
  );
});
process.on('disconnect', () => process.exit());

async function run(load: Load): Promise<Outcome> {
  const requests = requestsOf(load);
  latencies.fill(0);
  const tally = new Map<number, number>();
  const state = { until: Infinity, answered: 0, lastAnswer: 0 };
  const connections = await Promise.all(Array.from({ length: load.connections }, async () => opened(load.port)));
  const began = performance.now();
  state.until = began + load.seconds * 1000;
  await Promise.all(connections.map(async (connection) => connection.drive(requests, state, tally)));
  const seconds = (state.lastAnswer - began) / 1000;
  return {
    perSecond: state.answered / seconds,
    answered: state.answered,
    refused: Object.fromEntries([...tally].filter(([status]) => status !== 200)),
    p50Ms: quantile(state.answered, 0.5),
    p99Ms: quantile(state.answered, 0.99),
  };
}

interface State {
  until: number;
  answered: number;
  lastAnswer: number;
}

interface Connection {
  drive(requests: readonly Buffer[], state: State, tally: Map<number, number>): Promise<void>;
}

async function opened(port: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    let onBytes: (bytes: Buffer) => void = () => undefined;
    const socket: Socket = connect({
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
    socket.once('error', reject);
    socket.once('connect', () =>
      resolve({
        drive: async (requests, state, tally) => {
          socket.off('error', reject);
          return drive(socket, (listener) => (onBytes = listener), requests, state, tally);
        },
      }),
    );
  });
}

async function drive(
  socket: Socket,
  listen: (listener: (bytes: Buffer) => void) => void,
  requests: readonly Buffer[],
  state: State,
  tally: Map<number, number>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let sentAt = 0;
    let partial: Buffer | undefined;
    const send = () => {
      sentAt = performance.now();
      socket.write(requests[(Math.random() * requests.length) | 0] ?? '');
    };
    listen((bytes) => {
      const answer = partial ? Buffer.concat([partial, bytes]) : bytes;
      const end = endOf(answer);
      if (end === undefined || answer.length < end) {
        // The socket's buffer is used again for the next bytes.
        partial = Buffer.from(answer);
        return;
      }
      partial = undefined;
      const now = performance.now();
      const status = statusOf(answer);
      tally.set(status, (tally.get(status) ?? 0) + 1);
      const latency = Math.min(latencies.length - 1, Math.round((now - sentAt) * 1000));
      latencies[latency] = (latencies[latency] ?? 0) + 1;
      state.answered++;
      state.lastAnswer = now;
      if (now < state.until) send();
      else socket.end(resolve);
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the server closed a connection')));
    send();
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

/** The requests are made once for each file of keys and kept, since rounds use them again. */
const made = new Map<string, Buffer[]>();

function requestsOf({ keysFile, port, addresses = 0 }: Load): Buffer[] {
  const name = `${keysFile} ${port} ${addresses}`;
  let requests = made.get(name);
  if (!requests) {
    const keys = readFileSync(keysFile, 'utf8').trim().split('\n');
    requests = Array.from({ length: Math.max(keys.length, addresses) }, (_, index) =>
      requestOf(keys[index % keys.length] ?? '', port, addresses > 0 ? addressOf(index) : undefined),
    );
    made.set(name, requests);
  }
  return requests;
}

function requestOf(key: string, port: number, address: string | undefined): Buffer {
  const lines = [
    `GET ${PATH} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'User-Agent: latchkey-bench/1',
    'Accept: application/json',
    `X-API-Key: ${key}`,
    ...(address === undefined ? [] : [`X-Forwarded-For: ${address}`]),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

const addressOf = (index: number) => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
