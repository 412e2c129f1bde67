import { segmentsOf } from './forwardedPath.ts';

/** Who may send the requests that a rule is about: whoever holds the scope, or everybody. */
export type RuleDemand = { scope: string } | { public: true };

/** The requests that a rule is about. A host of `*.example.com` stands for every name below it; absent, for every host. */
export interface RuleRequests {
  host?: string | undefined;
  /** `*` for every method; GET stands for HEAD too. */
  method: string;
  /** In its one spelling, `:name` for any one segment, and `*` as the last for all that is there and below. */
  path: string;
}

/** A rule of proxied requests, each part in its one spelling. */
export type ForwardAuthRule = RuleRequests & RuleDemand;

/** More would take longer to read than to think about; a path pattern says the same in fewer. */
export const MOST_RULES = 500;

/** A proxied request, with the host and the path in their one spelling; the host is empty where none is known. */
export interface ProxiedRequest {
  method: string;
  host: string;
  path: string;
}

/** A place in the tree of all paths: what the rules say of the paths that lead here. */
interface PathNode {
  fixed: Map<string, PathNode>;
  param?: PathNode;
  /** The rules whose path ends here, by their places. */
  ends: number[];
  /** The rules for all that is here and below. */
  below: number[];
}

/** The rules of one revision, ready to be asked about on every request: the cost grows with the path, not with the rules. */
export class RuleSet {
  readonly rules: readonly ForwardAuthRule[];
  readonly #root = newNode();

  constructor(rules: readonly ForwardAuthRule[]) {
    this.rules = rules;
    for (const [place, { path }] of rules.entries()) {
      const { segments, open } = patternOf(path);
      let node = this.#root;
      for (const segment of segments) node = isParam(segment) ? (node.param ??= newNode()) : child(node, segment);
      (open ? node.below : node.ends).push(place);
    }
  }

  /** The place of the first rule that is about the request; undefined where there is none, which closes it to everybody. */
  firstMatch(request: ProxiedRequest): number | undefined {
    const first = this.#search(this.#root, segmentsOf(request.path), 0, request, this.rules.length);
    return first < this.rules.length ? first : undefined;
  }

  #search(node: PathNode, segments: readonly string[], depth: number, request: ProxiedRequest, best: number): number {
    let first = this.#firstOf(node.below, request, best);
    const segment = segments[depth];
    if (segment === undefined) return this.#firstOf(node.ends, request, first);
    const fixed = node.fixed.get(segment);
    if (fixed) first = this.#search(fixed, segments, depth + 1, request, first);
    if (node.param) first = this.#search(node.param, segments, depth + 1, request, first);
    return first;
  }

  #firstOf(places: readonly number[], request: ProxiedRequest, best: number): number {
    for (const place of places) {
      if (place >= best) return best;
      const rule = this.rules[place];
      if (rule && isOfMethod(rule, request.method) && isOfHost(rule, request.host)) return place;
    }
    return best;
  }
}

/** Why a rule is not about a request; undefined where it is. */
export function mismatchOf(rule: RuleRequests, request: ProxiedRequest): 'host' | 'method' | 'path' | undefined {
  if (!isOfHost(rule, request.host)) return 'host';
  if (!isOfMethod(rule, request.method)) return 'method';
  const { segments, open } = patternOf(rule.path);
  const actual = segmentsOf(request.path);
  const isLong = open ? actual.length >= segments.length : actual.length === segments.length;
  const fits = isLong && segments.every((segment, at) => isParam(segment) || segment === actual[at]);
  return fits ? undefined : 'path';
}

/** A rule that no request can reach, and the first rule that takes all of its requests before it. */
export interface HiddenRule {
  rule: number;
  hiddenBy: number;
}

/** The rules that can never match, each with the earlier one that is about all of its requests. */
export function neverMatching(rules: readonly RuleRequests[]): HiddenRule[] {
  const parts = rules.map(({ host, method, path }) => ({ host, method, ...patternOf(path) }));
  return parts.flatMap((later, rule) => {
    const hiddenBy = parts.slice(0, rule).findIndex((earlier) => takesAll(earlier, later));
    return hiddenBy === -1 ? [] : [{ rule, hiddenBy }];
  });
}

/** The text under which the uses of a key are added up: as the rule has it, so that ids make no routes of their own. */
export function routeOfRule({ path }: RuleRequests, requested: string): string {
  if (!path.includes('*')) return path;
  const { segments, open } = patternOf(path);
  if (!open) return path;
  const rest = segmentsOf(requested).slice(segments.length);
  return `/${[...segments, ...rest].join('/')}`;
}

interface Pattern {
  segments: string[];
  /** Whether it stands for all that is below, too. */
  open: boolean;
}

function patternOf(path: string): Pattern {
  const segments = segmentsOf(path);
  const open = segments.at(-1) === '*';
  return { segments: open ? segments.slice(0, -1) : segments, open };
}

function takesAll(earlier: RulePattern, later: RulePattern): boolean {
  if (earlier.host !== undefined && (later.host === undefined || !isHostWithin(later.host, earlier.host))) return false;
  if (!isOfMethod(earlier, later.method)) return false;
  if (!earlier.open && (later.open || later.segments.length !== earlier.segments.length)) return false;
  if (later.segments.length < earlier.segments.length) return false;
  return earlier.segments.every((segment, at) => isParam(segment) || segment === later.segments[at]);
}

type RulePattern = Pattern & Pick<RuleRequests, 'host' | 'method'>;

function isOfMethod(rule: Pick<RuleRequests, 'method'>, method: string): boolean {
  return rule.method === '*' || rule.method === method || (rule.method === 'GET' && method === 'HEAD');
}

function isOfHost({ host }: Pick<RuleRequests, 'host'>, requested: string): boolean {
  return host === undefined || isHostWithin(requested, host);
}

/** Whether a host, or every host that a pattern of hosts stands for, is one that the other pattern stands for. */
function isHostWithin(host: string, pattern: string): boolean {
  return (
    host === pattern ||
    (pattern.startsWith('*.') && host.length > pattern.length - 1 && host.endsWith(pattern.slice(1)))
  );
}

function isParam(segment: string): boolean {
  return segment.startsWith(':');
}

function child(node: PathNode, segment: string): PathNode {
  let next = node.fixed.get(segment);
  if (!next) node.fixed.set(segment, (next = newNode()));
  return next;
}

function newNode(): PathNode {
  return { fixed: new Map(), ends: [], below: [] };
}
