import { PATH } from './answer.ts';

/** What a server is asked; `{key}` stands for the key of each request. */
export interface Shape {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
  /** How many keys one request asks about: its body is then a list of that many. */
  batch?: number;
}

/** A request that shows its own key. */
export const SHOW_KEY: Shape = { method: 'GET', path: PATH, headers: { 'X-API-Key': '{key}' } };

/** Every request of a load as it is sent, one for each key or batch of keys; with `addresses`, from as many clients. */
export function requestTexts(shape: Shape, keys: readonly string[], port: number, addresses = 0): string[] {
  const { batch = 1 } = shape;
  const count = Math.max(Math.floor(keys.length / batch), addresses, 1);
  const texts = new Map<string, string>();
  return Array.from({ length: count }, (_, index) => {
    const own = Array.from({ length: batch }, (_, place) => keys[(index * batch + place) % keys.length] ?? '');
    const text = requestText(shape, own, port, addresses > 0 ? addressOf(index) : undefined);
    // Keys that come often are one text, however long the list.
    const known = texts.get(text);
    if (known === undefined) texts.set(text, text);
    return known ?? text;
  });
}

function requestText(shape: Shape, keys: readonly string[], port: number, address: string | undefined): string {
  const [key = ''] = keys;
  const lines = [
    `${shape.method} ${shape.path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'User-Agent: latchkey-bench/1',
    'Accept: application/json',
    ...Object.entries(shape.headers ?? {}).map(([name, value]) => `${name}: ${value.replace('{key}', key)}`),
    ...(address === undefined ? [] : [`X-Forwarded-For: ${address}`]),
  ];
  const body = bodyText(shape, keys);
  if (body !== undefined) {
    lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body, 'latin1')}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`;
}

function bodyText({ body, batch }: Shape, keys: readonly string[]): string | undefined {
  if (body === undefined) return undefined;
  const [first, ...more] = keys.map((key) => body.replace('{key}', key));
  return batch === undefined ? first : `{"keys":[${[first, ...more].join(',')}]}`;
}

const addressOf = (index: number) => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;

/** A prime, so that keys that are used about as often are not neighbours in an index. */
const STRIDE = 7_919;

/**
 * A list of about `length` keys in which the most used key comes as often as the second and third most used ones should
 * by Zipf's law: one half, one third. Taken from at random, it is a load in which few keys do most of the work.
 */
export function zipfList(keys: readonly string[], length: number): string[] {
  const whole = keys.reduce((sum, _, index) => sum + 1 / (index + 1), 0);
  return keys.flatMap((_, index) => {
    const times = Math.max(1, Math.round(length / (index + 1) / whole));
    return Array.from({ length: times }, () => keys[(index * STRIDE) % keys.length] ?? '');
  });
}
