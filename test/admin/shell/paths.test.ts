import { expect } from 'chai';
import { localeOfHeader } from '../../../app/domain/locale.ts';
import { IDLE_MS, isOpen, LIFETIME_MS } from '../../../app/domain/session.ts';
import { ownPath } from '../../../app/http/ownPath.ts';

describe('a way back', () => {
  for (const path of ['/', '/admin/api-keys', '/admin/api-keys?status=active&q=a%20b', '/admin/usage?next=//evil']) {
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

describe('the language of a browser', () => {
  const cases: Record<string, string> = {
    fr: 'fr',
    'fr-CA,fr;q=0.9,en;q=0.8': 'fr',
    'en-GB,fr;q=0.9': 'en',
    'de,fr;q=0.5,en;q=0.4': 'fr',
    'fr;q=0,en;q=0.1': 'en',
    'FR-fr': 'fr',
    'de,*': 'en',
    '': 'en',
    ';;q=,,=': 'en',
    'fr;q=abc': 'en',
  };
  for (const [header, locale] of Object.entries(cases)) {
    it(`${JSON.stringify(header)} is ${locale}`, () => expect(localeOfHeader(header)).to.equal(locale));
  }
});

describe('a session', () => {
  const start = 1_000_000;
  const times = { lastSeenAt: start, expiresAt: start + LIFETIME_MS };

  it('stays open while it is used, half an hour at a time', () => {
    expect(isOpen(times, start + IDLE_MS - 1)).to.equal(true);
    expect(isOpen(times, start + IDLE_MS)).to.equal(false);
  });

  it('ends after twelve hours however much it is used', () => {
    const late = { ...times, lastSeenAt: start + LIFETIME_MS - 1 };
    expect(isOpen(late, start + LIFETIME_MS - 1)).to.equal(true);
    expect(isOpen(late, start + LIFETIME_MS)).to.equal(false);
  });
});
