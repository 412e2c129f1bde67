import type { Answer, Client, Headers } from './http.ts';

type Fields = Record<string, string> | [string, string][];

/** A browser without a screen: keeps cookies, sends forms with their token, follows nothing by itself. */
export class Visitor {
  readonly cookies = new Map<string, string>();
  readonly #client: Client;
  readonly #headers: Headers;

  constructor(client: Client, headers: Headers = {}) {
    this.#client = client;
    this.#headers = { Accept: 'text/html', ...headers };
  }

  async get(path: string, headers: Headers = {}): Promise<Answer> {
    return this.#keep(await this.#client.get(path, this.#with(headers)));
  }

  /** Sends a form with the token that every form of the session carries. */
  async submit(path: string, fields: Fields = {}, headers: Headers = {}): Promise<Answer> {
    return this.post(path, [['_csrf', await this.csrf()], ...pairsOf(fields)], headers);
  }

  /** Sends exactly these fields. */
  async post(path: string, fields: Fields = {}, headers: Headers = {}): Promise<Answer> {
    const body = new URLSearchParams(pairsOf(fields)).toString();
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
    return this.#keep(await this.#client.send('POST', path, { headers: this.#with({ ...type, ...headers }), body }));
  }

  /** The token in the forms of a page, by default of the error page that everybody signed in gets. */
  async csrf(path = '/admin/nothing'): Promise<string> {
    const { text } = await this.get(path);
    return /name="_csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
  }

  async signIn(email: string, password: string, next = '/'): Promise<Answer> {
    return this.post('/login', { email, password, next });
  }

  /** The cookie of the session, under either of its names. */
  get session(): string | undefined {
    return this.cookies.get('latchkey') ?? this.cookies.get('__Host-latchkey');
  }

  #with(headers: Headers): Headers {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return { ...this.#headers, ...(cookie !== '' && { Cookie: cookie }), ...headers };
  }

  #keep(answer: Answer): Answer {
    for (const cookie of answer.headers['set-cookie'] ?? []) {
      const [pair = '', ...attributes] = cookie.split('; ');
      const [name = '', value = ''] = pair.split('=');
      if (attributes.includes('Max-Age=0')) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }
}

function pairsOf(fields: Fields): [string, string][] {
  return Array.isArray(fields) ? fields : Object.entries(fields);
}
