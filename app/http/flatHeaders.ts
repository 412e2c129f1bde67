import {
  ServerResponse,
  validateHeaderName,
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
} from 'node:http';

type Value = number | string | readonly string[];

/** What may not stand in a header's value. */
const UNFIT = /[^\t\x20-\x7e\x80-\xff]/;
/** The names that were found fit for a header; they stand in the code, so that there are few. */
const fitNames = new Set<string>();

/**
 * An answer that keeps its headers as one list of names and values, which Node writes as it is. Node's own map of headers
 * takes 1 KB a request more.
 */
export class FlatHeadersResponse<Request extends IncomingMessage> extends ServerResponse<Request> {
  readonly #list: Value[] = [];

  override setHeader(name: string, value: Value): this {
    // Node's own method says what is wrong.
    if (this.headersSent || UNFIT.test(String(value))) return super.setHeader(name, value);
    checkName(name);
    const place = this.#placeOf(name);
    if (place === -1) this.#list.push(name, value);
    else {
      this.#list[place] = name;
      this.#list[place + 1] = value;
    }
    return this;
  }

  override appendHeader(name: string, value: string | readonly string[]): this {
    const place = this.#placeOf(name);
    if (place === -1) return this.setHeader(name, value);
    const [known = '', before = ''] = this.#list.slice(place);
    return this.setHeader(String(known), [before, value].flat().map(String));
  }

  override getHeader(name: string): number | string | string[] | undefined {
    const place = this.#placeOf(name);
    return place === -1 ? undefined : (this.#list[place + 1] as OutgoingHttpHeader);
  }

  override hasHeader(name: string): boolean {
    return this.#placeOf(name) !== -1;
  }

  override removeHeader(name: string): void {
    // Node remembers which of its own headers it is not to add.
    super.removeHeader(name);
    const place = this.#placeOf(name);
    if (place !== -1) this.#list.splice(place, 2);
  }

  override getHeaderNames(): string[] {
    return this.#names().map((name) => name.toLowerCase());
  }

  getRawHeaderNames(): string[] {
    return this.#names();
  }

  override getHeaders(): OutgoingHttpHeaders {
    const headers = Object.create(null) as OutgoingHttpHeaders;
    for (const name of this.#names()) headers[name.toLowerCase()] = this.getHeader(name);
    return headers;
  }

  override writeHead(status: number, ...given: unknown[]): this {
    for (const more of given) {
      if (typeof more === 'string') this.statusMessage = more;
      else for (const [name, value] of headersIn(more)) this.setHeader(name, value);
    }
    return super.writeHead(status, this.#list as OutgoingHttpHeader[]);
  }

  #names(): string[] {
    return this.#list.filter((_, place) => place % 2 === 0) as string[];
  }

  /** Where the name stands in the list, in whatever case; -1 where it does not. */
  #placeOf(name: string): number {
    const list = this.#list as string[];
    for (let place = 0; place < list.length; place += 2) {
      const known = list[place] as string;
      if (known.length !== name.length) continue;
      if (known === name || known.toLowerCase() === name.toLowerCase()) return place;
    }
    return -1;
  }
}

/** Throws on an unfit name: later, as the head is written, it is too late to answer anything else. */
function checkName(name: string): void {
  if (fitNames.has(name)) return;
  validateHeaderName(name);
  fitNames.add(name);
}

/** The headers that `writeHead` is given: an object, or a list of names and values. */
function headersIn(given: unknown): [string, Value][] {
  if (!Array.isArray(given)) return Object.entries((given ?? {}) as Record<string, Value>);
  const list = given as Value[];
  return list.flatMap((name, place) => (place % 2 === 0 ? [[String(name), list[place + 1] ?? '']] : []));
}
