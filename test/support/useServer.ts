import { castOf, type Cast } from './cast.ts';
import type { TestDatabase } from './databases.ts';
import { startServer, type Environment, type TestServer } from './server.ts';

/**
 * Gives the suite it is called in a server and the cast, from before its first test until after its last:
 * `const { server, alice, bob } = useServer(database, { TRUSTED_HOPS: '1' });`.
 */
export function useServer(database: TestDatabase, overrides: Environment = {}): Cast & { server: TestServer } {
  let cast: Cast | undefined;
  const server = useServerWithoutCast(database, overrides);
  before(async () => {
    cast = await castOf(server);
  });
  const member = <Name extends keyof Cast>(name: Name) => readLater(name, () => cast?.[name]);
  return {
    server,
    acme: member('acme'),
    globex: member('globex'),
    alice: member('alice'),
    bob: member('bob'),
    carol: member('carol'),
    charlie: member('charlie'),
  };
}

/** Gives the suite it is called in a server alone: one whose database has nobody in it, or a second one on that of `useServer`. */
export function useServerWithoutCast(database: TestDatabase, overrides: Environment = {}): TestServer {
  let server: TestServer | undefined;
  before(async function () {
    this.timeout(60_000);
    server = await startServer(database.env(), overrides);
  });
  after(async () => server?.stop());
  return readLater('server', () => server);
}

/** Stands for an object that a hook makes; reading a property before that fails with a line that says why. */
function readLater<Thing extends object>(name: string, find: () => Thing | undefined): Thing {
  const found = () => {
    const thing = find();
    if (!thing) throw new Error(`${name} is there only while its suite runs: read it in a hook or a test.`);
    return thing;
  };
  return new Proxy({} as Thing, {
    get(_, property) {
      const thing = found();
      const value: unknown = Reflect.get(thing, property, thing);
      // A method that uses a private field of its object cannot run on the stand-in.
      return typeof value === 'function' ? (value.bind(thing) as unknown) : value;
    },
    has: (_, property) => Reflect.has(found(), property),
    ownKeys: () => Reflect.ownKeys(found()),
    getOwnPropertyDescriptor: (_, property) => Reflect.getOwnPropertyDescriptor(found(), property),
  });
}
