import { expect } from 'chai';
import { blockStream } from '../app/log.ts';

describe('the log, written in blocks,', () => {
  it('has every line whole and in order, however long and in whatever script', () => {
    const written: string[] = [];
    const blocks = blockStream((block) => written.push(block.toString('utf8')));
    const lines = [1, 200, 9_000, 40_000, 10, 15_000, 15_000, 3].map((length, i) => `${i}${'aé€😀'.repeat(length)}\n`);
    for (const line of lines) blocks.write(line);
    blocks.pass();
    expect(written.join('') === lines.join('')).to.equal(true);
    expect(written.length).to.be.lessThan(lines.length);
  });
});
