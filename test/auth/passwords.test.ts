import argon2 from '@node-rs/argon2';
import { expect } from 'chai';
import { AppError } from '../../app/errors.ts';
import { checkPassword, hashPassword } from '../../app/auth/passwords.ts';
import { fairQueue, type QueuePlace } from '../../app/auth/fairQueue.ts';

const PASSWORD = 'correct horse battery staple';

describe('passwords', () => {
  it('are stored as argon2id with the agreed cost and a salt of their own', async () => {
    const [first, second] = await Promise.all([hashPassword(PASSWORD), hashPassword(PASSWORD)]);
    expect(first).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(first).not.to.equal(second);
    expect(first).not.to.include(PASSWORD);
    expect(first.length).to.be.at.most(255);
  });

  it('are right when they are the one that was hashed, and wrong otherwise', async () => {
    const hash = await hashPassword(PASSWORD);
    expect(await checkPassword(hash, PASSWORD)).to.equal(true);
    expect(await checkPassword(hash, `${PASSWORD} `)).to.equal(false);
    expect(await checkPassword(hash, PASSWORD.toUpperCase())).to.equal(false);
  });

  it('are the same however a keyboard composes its letters', async () => {
    expect(await checkPassword(await hashPassword('caf\u00e9 au lait'), 'cafe\u0301 au lait')).to.equal(true);
  });

  it('of somebody without a hash are wrong, at the same cost', async () => {
    const asked: string[] = [];
    const { verify } = argon2;
    Object.assign(argon2, {
      verify: async (hash: string, password: string) => {
        asked.push(hash);
        return verify(hash, password);
      },
    });
    try {
      expect(await checkPassword(null, PASSWORD)).to.equal(false);
    } finally {
      Object.assign(argon2, { verify });
    }
    expect(asked).to.have.length(1);
    expect(argon2.parseOptions(asked[0] ?? '')).to.deep.equal(argon2.parseOptions(await hashPassword(PASSWORD)));
  });
});

describe('work in turns', () => {
  it('runs so many pieces at a time and no more, in order of arrival', async () => {
    const turn = fairQueue(2, 10);
    const started: number[] = [];
    const finish: (() => void)[] = [];
    const work = [0, 1, 2, 3].map(async (piece) =>
      turn(async () => {
        started.push(piece);
        await new Promise<void>((resolve) => (finish[piece] = resolve));
      }),
    );
    await turnOfEvents();
    expect(started).to.deep.equal([0, 1]);
    finish[1]?.();
    await work[1];
    await turnOfEvents();
    expect(started).to.deep.equal([0, 1, 2]);
    // Whoever comes now stands behind the one who waits, although a place has changed hands.
    const late = turn(async () => started.push(4));
    await turnOfEvents();
    expect(started).to.deep.equal([0, 1, 2]);
    finish[0]?.();
    finish[2]?.();
    await turnOfEvents();
    expect(started.slice(0, 4)).to.deep.equal([0, 1, 2, 3]);
    finish[3]?.();
    await Promise.all([...work, late]);
    expect(started).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('refuses with 503 when too many wait, and takes more once they are through', async () => {
    const turn = fairQueue(1, 1);
    let finish: () => void = () => undefined;
    const running = turn(async () => new Promise<void>((resolve) => (finish = resolve)));
    const waiting = turn(async () => 'waited');
    const refused = await turn(async () => 'never').catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(AppError).with.property('status', 503);
    await turnOfEvents();
    finish();
    await running;
    expect(await waiting).to.equal('waited');
    expect(await turn(async () => 'later')).to.equal('later');
  });

  /** Holds the only place, lets these lines come, and gives what they came to in the order of their turns. */
  async function orderOf(waitingAtMost: number, places: QueuePlace[]): Promise<string[]> {
    const turn = fairQueue(1, waitingAtMost);
    let finish: () => void = () => undefined;
    const held = turn(async () => new Promise<void>((resolve) => (finish = resolve)));
    const seen: string[] = [];
    const work = places.map(async (place, n) =>
      turn(async () => seen.push(`${place.line}${n}`), place).catch(() => seen.push(`${place.line}${n} refused`)),
    );
    await turnOfEvents();
    finish();
    await Promise.all([held, ...work]);
    return seen;
  }

  it('takes pieces of each queue in turn, so that a long queue delays no other', async () => {
    const lines = ['a', 'a', 'a', 'b', 'a', 'c'].map((line) => ({ line }));
    expect(await orderOf(10, lines)).to.deep.equal(['a0', 'b3', 'c5', 'a1', 'a2', 'a4']);
  });

  it('refuses the last piece of the longest queue when it is full, and takes pieces of other queues', async () => {
    const lines = ['a', 'a', 'a', 'b', 'a', 'c', 'd'].map((line) => ({ line }));
    expect(await orderOf(3, lines)).to.deep.equal([
      'a2 refused',
      'a4 refused',
      'a1 refused',
      'd6 refused',
      'a0',
      'b3',
      'c5',
    ]);
  });

  it('gives every other turn to preferred pieces, which a full queue of others does not keep out', async () => {
    const known = { line: 'known', preferred: true };
    const places = [{ line: 'a' }, { line: 'b' }, { line: 'c' }, known, known];
    expect(await orderOf(2, places)).to.deep.equal(['c2 refused', 'known3', 'a0', 'known4', 'b1']);
  });

  it('goes on after a piece that failed', async () => {
    const turn = fairQueue(1, 1);
    const failed = await turn(async () => Promise.reject(new Error('broken'))).catch((error: unknown) => error);
    expect(failed).to.be.an('error');
    expect(await turn(async () => 'next')).to.equal('next');
  });
});

async function turnOfEvents(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
