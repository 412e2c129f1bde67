import { expect } from 'chai';
import { Email, normaliseEmail } from '../../app/domain/email.ts';
import { mayGrantMembership } from '../../app/domain/granting.ts';
import { passwordProblem, type PasswordProblem } from '../../app/domain/password.ts';
import { permissionsOf, type Permission, type Role } from '../../app/domain/role.ts';

describe('an email', () => {
  it('has one spelling: trimmed and in lower case', () => {
    expect(normaliseEmail(' Ann.Lee+keys@Example.COM ')).to.equal('ann.lee+keys@example.com');
    expect(Email.parse('ANN@localhost')).to.equal('ann@localhost');
  });

  const none = ['', 'ann', '@', 'ann@', '@example.com', 'a b@example.com', 'ann@exa mple.com', 'ann@example..com'];
  for (const text of [...none, 'ann@example.com\nb', 'änn@example.com', 'a@b@c', `${'a'.repeat(250)}@b.cd`]) {
    it(`is not ${JSON.stringify(text.slice(0, 30))}`, () => {
      expect(normaliseEmail(text)).to.equal(undefined);
      expect(Email.safeParse(text).success).to.equal(false);
    });
  }
});

describe('a password', () => {
  const examples: [password: string, problem: PasswordProblem | undefined][] = [
    ['', 'too_short'],
    ['123456789', 'too_short'],
    ['1234567890', undefined],
    ['🔑'.repeat(9), 'too_short'],
    ['🔑'.repeat(10), undefined],
    // Nine letters, though ten code points until they are composed.
    [`12345678e\u0301`, 'too_short'],
    ['x'.repeat(200), undefined],
    ['x'.repeat(201), 'too_long'],
    ['ann@example.com', 'is_email'],
    [' ANN@Example.com ', 'is_email'],
  ];
  for (const [password, problem] of examples) {
    it(`${JSON.stringify(password.slice(0, 20))} (${password.length}): ${problem ?? 'may be used'}`, () => {
      expect(passwordProblem(password, 'ann@example.com')).to.equal(problem);
    });
  }
});

describe('giving a membership', () => {
  const may = (giver: Role, own: Permission[], role: Role, gift: Permission[]) =>
    mayGrantMembership({ role: giver, permissions: permissionsOf(giver, own) }, role, gift);

  it('an owner gives everything', () => {
    expect(may('OWNER', [], 'OWNER', [])).to.equal(true);
    expect(may('OWNER', [], 'MEMBER', ['members:manage'])).to.equal(true);
  });

  it('nobody gives a role above their own', () => {
    expect(may('ADMIN', ['members:manage'], 'OWNER', [])).to.equal(false);
    expect(may('MEMBER', ['members:manage'], 'ADMIN', [])).to.equal(false);
  });

  it('nobody gives a permission they do not hold, be it granted or by the role', () => {
    expect(may('ADMIN', ['members:manage'], 'MEMBER', ['members:manage', 'audit:read'])).to.equal(true);
    expect(may('ADMIN', ['members:manage'], 'MEMBER', ['api-keys:manage'])).to.equal(false);
    expect(may('MEMBER', ['api-keys:manage'], 'MEMBER', ['audit:read'])).to.equal(false);
  });
});
