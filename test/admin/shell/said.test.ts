import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { ZodType } from 'zod';
import { KeyChange, NewKey, Revocation } from '../../../app/domain/keyInput.ts';
import { PolicyChange } from '../../../app/domain/policy.ts';
import { fieldsIn, problemsOf, wishOf } from '../../../app/admin/keys/keyForm.ts';
import { textsIn } from '../../../app/locales/texts.ts';
import { policyChangeIn, POLICY_FIELDS } from '../../../app/admin/security/policyView.ts';
import { ROOT } from '../../../app/root.ts';
import { MemberChange, NewInvitation } from '../../../app/inputs/memberInput.ts';
import { Order } from '../../../app/inputs/orderInput.ts';
import { NewTenant } from '../../../app/inputs/tenantInput.ts';
import { Message, NewTicket } from '../../../app/inputs/ticketInput.ts';

const { said } = textsIn('fr');

/** What only programs are told, which read the API's own words. */
const FOR_PROGRAMS = [
  ...['keys/', 'limits/', 'routes/api/', 'routes/input.ts', 'middleware/apiKey.ts', 'middleware/challenge.ts'],
  ...['middleware/credential.ts', 'middleware/tenant.ts', 'actions/keyExpiry.ts', 'actions/keyAuthority.ts'],
];
const SENTENCES_FOR_PROGRAMS = [
  'The body is not valid JSON.',
  'API keys may not do this; it takes a person with x:read.',
];

/** What stands in a place of a sentence, where that is not the name of a scope. */
const SAMPLES: Readonly<Record<string, string>> = { keys: '10', plan: 'Starter', status: 'revoked', reason: 'expired' };

/** Every sentence of a refusal in the sources that pages can lead to, with something in each of its places. */
function refusals(): string[] {
  const files = readdirSync(path.join(ROOT, 'app'), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts') && !FOR_PROGRAMS.some((one) => file.startsWith(one)))
    .flatMap((file) => [
      ...readFileSync(path.join(ROOT, 'app', file), 'utf8').matchAll(
        /new AppError\(\s*'\w+',\s*(?:'([^']+)'|`([^`]+)`)/g,
      ),
    ])
    .map(([, plain, filled]) => plain ?? filled ?? '')
    .map((sentence) => sentence.replace(/\$\{(\w+)\}/g, (_, name: string) => SAMPLES[name] ?? 'x:read'))
    .filter((sentence) => !SENTENCES_FOR_PROGRAMS.includes(sentence));
}

/** A form with the same in each of these fields. */
function filled(names: readonly string[], text: string): URLSearchParams {
  return new URLSearchParams(names.map((name): [string, string] => [name, text]));
}

/** What somebody may write into a field that takes something else. */
const ODD = [
  '',
  ' ',
  'x',
  'X!',
  '-1',
  '0',
  '1.5',
  '99999999999',
  'x'.repeat(9_000),
  'a\u202Eb',
  'a\u0007b',
  '{',
  '[]',
  '{"a": {}}',
];

describe('what a page says of a refusal', () => {
  it('is in French for each that it can lead to', () => {
    expect(refusals()).to.include('There is no such member.').and.include('Missing required permission: x:read');
    expect(refusals().filter((sentence) => said(sentence) === sentence)).to.deep.equal([]);
  });

  it('is in French for whatever is wrong with a field', () => {
    const found = new Set<string>();
    const note = (schema: ZodType, input: unknown) => {
      for (const { message } of schema.safeParse(input).error?.issues ?? []) found.add(message);
    };
    for (const odd of ODD) {
      note(Message, { message: odd });
      note(NewTicket, { subject: odd, message: odd, priority: odd });
      note(NewTenant, { name: odd, slug: odd, externalId: odd });
      note(NewInvitation, { email: odd, role: odd, permissions: [odd] });
      note(MemberChange, { role: odd, permissions: [odd] });
      note(Order, { plan: odd, reference: odd });
      note(Revocation, { reason: odd });
      note(PolicyChange, policyChangeIn(filled([...POLICY_FIELDS, 'limit', 'windowSeconds'], odd)));
    }
    note(PolicyChange, { defaultScopes: ['platform:verify', 'fly:high'] });
    expect([...found].filter((sentence) => said(sentence) === sentence)).to.deep.equal([]);
  });

  it('is in French for whatever is wrong with a key', () => {
    const [english, french] = [textsIn('en'), textsIn('fr')];
    for (const odd of [...ODD, 'fly:high']) {
      const names = Object.keys(fieldsIn(new URLSearchParams()));
      const fields = fieldsIn(filled(names, odd));
      const { environment, owner } = fields;
      for (const schema of [NewKey, KeyChange]) {
        const read = schema.safeParse({ ...wishOf(fields, 0), ...(schema === NewKey && { environment, owner }) });
        if (!read.error) continue;
        const problems = problemsOf(read.error, french);
        for (const [field, sentence] of Object.entries(problemsOf(read.error, english))) {
          expect(problems[field as 'name'], `${field}: ${odd.slice(0, 20)}`).not.to.equal(sentence);
        }
      }
    }
  });

  it('names what it is about, as text and nothing else', () => {
    expect(said('Missing required scope: projects:write')).to.equal('Accès requis\u00a0: projects:write');
    expect(said('Unknown scope: s3:read')).to.equal('Accès inconnu\u00a0: s3:read');
    expect(said('Your role does not reach as far as the scope *.')).to.equal('Votre rôle ne va pas jusqu’à l’accès *.');
    expect(said('The plan Starter allows 10 API keys: revoke one, or change the plan.')).to.match(
      /^L’offre Starter permet 10 clés d’API\s: révoquez-en une/,
    );
    expect(said('Unknown scope: {n} <b>')).to.equal('Accès inconnu\u00a0: {n} <b>');
    expect(textsIn('en').said('Unknown scope: s3:read')).to.equal('Unknown scope: s3:read');
  });
});
