import { expect } from 'chai';
import type { Context, State } from '../../app/context.ts';
import { AppError, unavailable } from '../../app/errors.ts';
import { LocalCounter } from '../../app/limits/localCounter.ts';
import { SpentAddresses } from '../../app/limits/spentAddresses.ts';
import { addressLimit } from '../../app/limits/rateLimit.ts';
import { open } from '../../app/http/access.ts';

const KEY = { kind: 'key', text: 'a key', transport: 'x-api-key' } as const;

describe('what the limit of an address makes of errors', () => {
  const limit = () =>
    addressLimit(
      new LocalCounter('address'),
      { limit: 1, windowSeconds: 60 },
      { countKey: () => undefined, countPerson: () => undefined, spent: new SpentAddresses() },
    );

  /** Sends requests with a key through the limit to what throws the error, and gives what came out. */
  async function outcomes(error: unknown, learned: Partial<State> = {}): Promise<unknown[]> {
    const middleware = limit();
    const seen: unknown[] = [];
    for (let n = 0; n < 3; n++) {
      const ctx = {
        state: { address: '192.0.2.1', countedAddress: '192.0.2.1', credential: KEY },
        res: { setHeader: () => undefined },
      } as unknown as Context;
      const next = async () => {
        Object.assign(ctx.state, learned);
        throw error;
      };
      seen.push(await Promise.resolve(middleware(ctx, next)).catch((thrown: unknown) => thrown));
    }
    return seen;
  }

  const codes = (errors: unknown[]) => errors.map((error) => (error instanceof AppError ? error.code : error));

  it('counts what the guards refuse', async () => {
    expect(codes(await outcomes(new AppError('invalid_key')))).to.deep.equal([
      'invalid_key',
      'rate_limited',
      'rate_limited',
    ]);
  });

  it('leaves a handler’s errors as they are, 401 among them', async () => {
    const error = new AppError('invalid_login');
    expect(await outcomes(error, { granted: open().access })).to.deep.equal([error, error, error]);
  });

  it('neither counts nor hides a fault of the server', async () => {
    for (const error of [unavailable(), new Error('a fault'), 'not even an error']) {
      expect(await outcomes(error)).to.deep.equal([error, error, error]);
    }
  });
});
