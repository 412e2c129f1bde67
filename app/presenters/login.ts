import type { SignedIn } from '../actions/signIn.ts';

/** What signing in answers: the token, who signed in, and the tenants it may be used for. */
export function presentLogin({ user, belongings }: SignedIn, token: string, expiresIn: number) {
  return {
    token,
    tokenType: 'Bearer',
    expiresIn,
    user: { id: user.id, email: user.email, name: user.name, operator: user.operator },
    tenants: belongings.map(({ tenant, role }) => ({ id: tenant.id, slug: tenant.slug, name: tenant.name, role })),
  };
}
