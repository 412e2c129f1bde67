import { expect } from 'chai';
import { readArguments } from '../../scripts/bench/arguments.ts';
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

  it('fills databases of the sizes that it is told, makes as many requests for memory, and uses every key where asked to', () => {
    const asked = readArguments('keys memory --keys 1000 --keys 1000000 --every-key --requests 5000000'.split(' '));
    expect(asked.parts).to.deep.equal(['keys', 'memory']);
    expect(asked.plan).to.include({ everyKey: true, memoryRequests: 5_000_000 });
    expect(asked.plan.sizes).to.deep.equal([1_000, 1_000_000]);
    expect(readArguments([]).plan).to.include({ everyKey: false, memoryRequests: 2_000_000 });
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
