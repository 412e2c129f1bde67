import { expect } from 'chai';
import { ownPath } from '../../app/http/ownPath.ts';
import { acmePage } from '../support/organisationPages.ts';

describe('a way back', () => {
  for (const path of [
    '/',
    acmePage('/api-keys'),
    acmePage('/api-keys?status=active&q=a%20b'),
    acmePage('/usage?next=//evil'),
  ]) {
    it(`may lead to ${path}`, () => expect(ownPath(path)).to.equal(path));
  }

  const elsewhere = [
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    '/admin/..//evil.example',
    'https://evil.example',
    'javascript:alert(1)',
    'admin',
    '',
    '/login?next=/',
    '/logout',
    `/${'x'.repeat(3_000)}`,
  ];
  for (const path of elsewhere) {
    it(`never leads to ${JSON.stringify(path.slice(0, 40))}`, () => expect(ownPath(path)).to.equal(undefined));
  }

  it('holds nothing that could end a header', () => {
    expect(ownPath('/a\r\nSet-Cookie: x=1')).not.to.match(/[\r\n]/);
  });
});
