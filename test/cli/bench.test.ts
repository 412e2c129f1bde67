import { expect } from 'chai';
import { requestTexts, zipfList } from '../../scripts/bench/requests.ts';
import { steadyRounds } from '../../scripts/bench/steadyRounds.ts';

describe('The bench', () => {
  const roundsOf = async (wanted: number, loops: readonly number[][]) =>
    steadyRounds(wanted, async (round) => ({ loopMs: loops[round] ?? [], turns: round }));

  it('throws away a round in which the machine’s own speed moved by more than a tenth, and makes another one', async () => {
    const { used, told } = await roundsOf(2, [
      [100, 104],
      [100, 111],
      [95, 103],
    ]);
    expect(used.map(({ turns }) => turns)).to.deep.equal([0, 2]);
    expect(told).to.include('moved by 11%, thrown away').and.not.include('ROUNDS USED MOVED');
  });

  it('makes at most twice as many rounds as are wanted, then uses the steadiest ones and says so', async () => {
    const { used, told } = await roundsOf(2, [
      [10, 15],
      [10, 12],
      [10, 14],
      [10, 13],
      [10, 10],
    ]);
    expect(used.map(({ turns }) => turns)).to.deep.equal([1, 3]);
    expect(told).to.include('2 OF THE 2 ROUNDS USED MOVED BY MORE THAN 10%');
  });

  it('lists keys by Zipf’s law: the second one half as often as the first, and none never', () => {
    const keys = Array.from({ length: 1_000 }, (_, number) => `key-${number}`);
    const times = new Map<string, number>();
    for (const key of zipfList(keys, 10_000)) times.set(key, (times.get(key) ?? 0) + 1);
    const sorted = [...times.values()].sort((a, b) => b - a);
    expect(times.size).to.equal(1_000);
    expect((sorted[0] ?? 0) / (sorted[1] ?? 0)).to.be.closeTo(2, 0.01);
    expect((sorted[0] ?? 0) / (sorted[9] ?? 0)).to.be.closeTo(10, 0.1);
  });

  it('asks about a batch of keys in one body, whose length its head states', () => {
    const shape = {
      method: 'POST',
      path: '/verify',
      headers: { 'X-API-Key': 'own' },
      body: '{"key":"{key}"}',
    } as const;
    const [single = ''] = requestTexts(shape, ['a', 'b'], 80);
    const [batch = '', ...more] = requestTexts({ ...shape, batch: 2 }, ['a', 'b'], 80);
    expect(single).to.match(
      /^POST \/verify HTTP\/1\.1\r\n.*X-API-Key: own\r\n.*Content-Length: 11\r\n\r\n{"key":"a"}$/s,
    );
    expect(batch).to.match(/Content-Length: 34\r\n\r\n{"keys":\[{"key":"a"},{"key":"b"}\]}$/);
    expect(more).to.deep.equal([]);
  });
});
