import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { problem } from './problem.ts';
import { memoizeByText } from './memoizeByText.ts';

/** Addresses as equal groups of bits: four of 8 for IPv4, eight of 16 for IPv6. */
interface Address {
  readonly groups: readonly number[];
  readonly groupBits: 8 | 16;
}

const NETWORK = /^(?<address>[0-9a-f.:]{2,45})(?:\/(?<length>0|[1-9]\d{0,2}))?$/i;
const MAPPED = [0, 0, 0, 0, 0, 0xffff];
const MAPPED_BITS = 96;

/**
 * The one spelling of a client's address: IPv4 inside IPv6 (`::ffff:1.2.3.4`) is IPv4, a zone is left off, as sockets
 * write one behind link-local addresses. Undefined when the text is no address.
 */
export function normaliseAddress(text: string): string | undefined {
  // Nearly every address comes as one of these, and net knows only one spelling of IPv4.
  const ipv4 = text.startsWith('::ffff:') ? text.slice('::ffff:'.length) : text;
  if (isIPv4(ipv4)) return ipv4;
  const address = isIPv6(text) ? readAddress(text.replace(/%.*/, '')) : undefined;
  return address && textOf(address);
}

/**
 * The one spelling of an address or CIDR network; undefined when it is none. Host bits are cleared, since
 * `10.1.2.3/24` can only mean `10.1.2.0/24`; a network of one address is written as the address.
 */
export function normaliseNetwork(text: string): string | undefined {
  const { address: addressText, length: lengthText } = NETWORK.exec(text)?.groups ?? {};
  const address = addressText === undefined ? undefined : readAddress(addressText);
  if (!address) return undefined;
  // A length behind a mapped address counts from the first of its 128 bits.
  const skipped = isIPv4(addressText ?? '') || address.groupBits === 16 ? 0 : MAPPED_BITS;
  const bits = address.groups.length * address.groupBits;
  const length = lengthText === undefined ? bits : Number(lengthText) - skipped;
  if (length < 0 || length > bits) return undefined;
  const network = textOf(firstOf(address, length));
  return length === bits ? network : `${network}/${length}`;
}

/** An address or CIDR network as input, normalised; other text is refused. */
export const Network = z
  .string()
  .refine((text) => normaliseNetwork(text) !== undefined, problem('must_be_network'))
  .overwrite((text) => normaliseNetwork(text) ?? text);

/** The networks of a key or a tenant as input, each once. */
export const NetworkList = z
  .array(Network)
  .max(100)
  .overwrite((networks) => [...new Set(networks)]);

/** A set of networks, ready to be asked about on every request. */
export class Networks {
  static readonly #read = memoizeByText((content) => new Networks(JSON.parse(content) as string[]));

  // Apart, because a BlockList lets an IPv4 address into IPv6 networks such as ::/0.
  readonly #ipv4 = new BlockList();
  readonly #ipv6 = new BlockList();

  private constructor(list: readonly string[]) {
    for (const text of list) this.#add(text);
  }

  /** The networks of this list, made once per content; throws on a text that is no network, rather than drop a rule. */
  static of(list: readonly string[]): Networks {
    return Networks.#read(JSON.stringify(list));
  }

  /** Whether the address lies in one of the networks; what is no address lies in none. */
  contains(address: string): boolean {
    const normal = normaliseAddress(address);
    if (normal === undefined) return false;
    return isIPv4(normal) ? this.#ipv4.check(normal, 'ipv4') : this.#ipv6.check(normal, 'ipv6');
  }

  #add(text: string): void {
    const [address, length] = normaliseNetwork(text)?.split('/') ?? [];
    if (address === undefined) throw new Error('A stored network is not readable');
    const [list, family, bits] = isIPv4(address)
      ? ([this.#ipv4, 'ipv4', 32] as const)
      : ([this.#ipv6, 'ipv6', 128] as const);
    list.addSubnet(address, Number(length ?? bits), family);
  }
}

/** Whether every address of the network lies in one of the others, though it takes several of them together. */
export function isContained(network: string, others: readonly string[]): boolean {
  const inner = spanOf(network);
  const outer = others.map(spanOf).filter(({ groupBits }) => groupBits === inner.groupBits);
  let covered = inner.first;
  for (const { first, next } of outer.sort((a, b) => (a.first < b.first ? -1 : 1))) {
    if (first <= covered && next > covered) covered = next;
  }
  return covered >= inner.next;
}

/** The addresses of a network as numbers: the first one, and the one after the last. */
function spanOf(text: string): { first: bigint; next: bigint; groupBits: 8 | 16 } {
  const [addressText = '', lengthText] = normaliseNetwork(text)?.split('/') ?? [];
  const address = readAddress(addressText);
  if (!address) throw new Error('A stored network is not readable');
  const { groups, groupBits } = address;
  const first = groups.reduce((number, group) => (number << BigInt(groupBits)) | BigInt(group), 0n);
  const bits = groups.length * groupBits;
  return { first, next: first + (1n << BigInt(bits - Number(lengthText ?? bits))), groupBits };
}

/** Callers leave zones out, which isIPv6 would let through. */
function readAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { groups: text.split('.').map(Number), groupBits: 8 };
  if (!isIPv6(text)) return undefined;
  const groups = ipv6Groups(text);
  const isMapped = MAPPED.every((group, i) => groups[i] === group);
  return isMapped
    ? { groups: groups.slice(6).flatMap((g) => [g >> 8, g & 0xff]), groupBits: 8 }
    : { groups, groupBits: 16 };
}

/** The URL parser knows every spelling and writes hexadecimal groups only, with `::` at most once. */
function ipv6Groups(text: string): number[] {
  const [head = [], tail = []] = new URL(`http://[${text}]`).hostname
    .slice(1, -1)
    .split('::')
    .map((half) =>
      half
        .split(':')
        .filter(Boolean)
        .map((group) => Number.parseInt(group, 16)),
    );
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function firstOf({ groups, groupBits }: Address, length: number): Address {
  const kept = (i: number) => Math.min(Math.max(length - i * groupBits, 0), groupBits);
  return { groups: groups.map((group, i) => group & (-1 << (groupBits - kept(i)))), groupBits };
}

function textOf({ groups, groupBits }: Address): string {
  if (groupBits === 8) return groups.join('.');
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]`).hostname.slice(1, -1);
}
