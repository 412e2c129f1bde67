import { z } from 'zod';
import type { SignedIn } from '../../actions/people/signIn.ts';
import { ROLES } from '../../domain/role.ts';

/** What signing in answers: the token, who signed in, and the tenants it may be used for. */
export const LoginAnswer = z.strictObject({
  token: z.string(),
  tokenType: z.literal('Bearer'),
  expiresIn: z.int(),
  user: z.strictObject({ id: z.string(), email: z.string(), name: z.string(), operator: z.boolean() }),
  tenants: z.array(z.strictObject({ id: z.string(), slug: z.string(), name: z.string(), role: z.enum(ROLES) })),
});

export function presentLogin(
  { user, belongings }: SignedIn,
  token: string,
  expiresIn: number,
): z.output<typeof LoginAnswer> {
  return {
    token,
    tokenType: 'Bearer',
    expiresIn,
    user: { id: user.id, email: user.email, name: user.name, operator: user.operator },
    tenants: belongings.map(({ tenant, role }) => ({ id: tenant.id, slug: tenant.slug, name: tenant.name, role })),
  };
}
