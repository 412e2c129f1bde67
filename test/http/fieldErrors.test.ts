import { expect } from 'chai';
import { z, type ZodType } from 'zod';
import { keyFieldsOf, keyInputOf } from '../../app/admin/keys/keyForm.ts';
import { policyChangeIn, POLICY_FIELDS, submittedFields } from '../../app/admin/settings/policyView.ts';
import { KeyChange, NewKey, Revocation } from '../../app/domain/keyInput.ts';
import { PolicyChange } from '../../app/domain/policy.ts';
import { fieldErrors } from '../../app/http/fieldErrors.ts';
import { MemberChange, NewInvitation } from '../../app/inputs/memberInput.ts';
import { Order } from '../../app/inputs/orderInput.ts';
import { NewTenant } from '../../app/inputs/tenantInput.ts';
import { Message, NewTicket } from '../../app/inputs/ticketInput.ts';
import { textsIn } from '../../app/locales/texts.ts';

/** What somebody may write into a field that takes something else. */
const ODD = [
  ...['', ' ', 'x', 'X!', '-1', '0', '1.5', '99999999999', 'x'.repeat(9_000), 'a\u202Eb', 'a\u0007b', '{', '[]'],
  ...['{"a": {}}', 'fly:high'],
];

/** A form with the same in each of these fields. */
function filled(names: readonly string[], text: string): URLSearchParams {
  return new URLSearchParams(names.map((name): [string, string] => [name, text]));
}

/** What the schema refuses of a value, as keys of the catalogue. */
function refused(schema: ZodType, value: unknown) {
  const { error } = schema.safeParse(value, { reportInput: true });
  return error ? fieldErrors(error) : [];
}

describe('the errors of fields', () => {
  it('are told by the code of what is wrong, whatever the library says of it', () => {
    const schema = z.strictObject({
      name: z.string().max(3),
      count: z.int().min(1).max(5),
      list: z.array(z.string()).min(1),
      kind: z.enum(['a', 'b']),
      open: z.literal(true).optional(),
    });
    const keys = (value: unknown) => refused(schema, value).map(({ path, problem }) => [path, problem.key]);
    expect(keys({})).to.deep.equal([
      ['name', 'required'],
      ['count', 'required'],
      ['list', 'required'],
      ['kind', 'required'],
    ]);
    expect(keys({ name: 1, count: '2', list: {}, kind: 'c' })).to.deep.equal([
      ['name', 'must_be_text'],
      ['count', 'must_be_number'],
      ['list', 'must_be_list'],
      ['kind', 'not_one_of'],
    ]);
    expect(keys({ name: 'abcd', count: 1.5, list: [], kind: 'a', more: 1 })).to.deep.equal([
      ['name', 'too_long'],
      ['count', 'must_be_whole_number'],
      ['list', 'list_too_short'],
      ['more', 'unknown_field'],
    ]);
    expect(refused(schema, { name: 'a', count: 9, list: ['a'], kind: 'a' })).to.deep.equal([
      { path: 'count', problem: { key: 'number_too_big', values: { max: 5 } } },
    ]);
    expect(refused(schema, { name: 'a', count: 1, list: ['a'], kind: 'a', open: false })).to.deep.equal([
      { path: 'open', problem: { key: 'must_be_value', values: { value: 'true' } } },
    ]);
    expect(keys('text')).to.deep.equal([['', 'must_be_object']]);
  });

  it('have words in both languages for all that forms and bodies refuse', () => {
    const found = ODD.flatMap((odd) => {
      const fields = keyFieldsOf(filled(Object.keys(keyFieldsOf(new URLSearchParams())), odd));
      const { environment, owner } = fields;
      return [
        ...refused(Message, { message: odd }),
        ...refused(NewTicket, { subject: odd, message: odd, priority: odd }),
        ...refused(NewTenant, { name: odd, slug: odd, externalId: odd }),
        ...refused(NewInvitation, { email: odd, role: odd, permissions: [odd] }),
        ...refused(MemberChange, { role: odd, permissions: [odd] }),
        ...refused(Order, { plan: odd, reference: odd }),
        ...refused(Revocation, { reason: odd }),
        ...refused(
          PolicyChange,
          policyChangeIn(submittedFields(filled([...POLICY_FIELDS, 'maxGrace', 'limit', 'windowSeconds'], odd))),
        ),
        ...refused(NewKey, { ...keyInputOf(fields, 0), environment, owner }),
        ...refused(KeyChange, keyInputOf(fields, 0)),
      ];
    });
    expect(found.length).to.be.greaterThan(100);
    expect(found.filter(({ problem }) => problem.key === 'invalid')).to.deep.equal([]);
    const [english, french] = [textsIn('en'), textsIn('fr')];
    for (const { problem } of found) {
      expect(french.problemText(problem), problem.key).not.to.equal(english.problemText(problem));
      expect(french.pageProblemText(problem), problem.key).not.to.equal(english.pageProblemText(problem));
    }
  });
});
