import type { Context } from '../context.ts';

/** The cookies of pages; their names are the installation's, so that browsers hold them to what the names promise. */
export interface Cookies {
  /** Undefined if the browser sent no valid cookie of this name. */
  get(ctx: Context, name: CookieName): string | undefined;
  /** Sets it for the browser's session, or for so many seconds. */
  set(ctx: Context, name: CookieName, value: string, maxAgeSeconds?: number): void;
  clear(ctx: Context, name: CookieName): void;
}

/**
 * The session, the known browser, the preferences before a login, the notice for the next page, and the tokens of
 * opened links.
 */
export type CookieName = 'session' | 'device' | 'locale' | 'theme' | 'notice' | 'invitation' | 'reset';

const NAMES: Readonly<Record<CookieName, string>> = {
  session: 'latchkey',
  device: 'latchkey-device',
  locale: 'latchkey-locale',
  theme: 'latchkey-theme',
  notice: 'latchkey-notice',
  invitation: 'latchkey-invitation',
  reset: 'latchkey-reset',
};

/** On https the `__Host-` names: no other host of the domain can set them, and they never travel in clear. */
export function cookiesOf(publicUrl: string): Cookies {
  const secure = publicUrl.startsWith('https:');
  const nameOf = (name: CookieName) => `${secure ? '__Host-' : ''}${NAMES[name]}`;
  // Koa would refuse to set a Secure cookie where TLS ends before us, so the header is written here.
  const write = (ctx: Context, name: CookieName, value: string, maxAgeSeconds?: number) => {
    const age = maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`;
    const flags = `; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
    ctx.append('Set-Cookie', `${nameOf(name)}=${value}${age}${flags}`);
  };
  return {
    get: (ctx, name) => ctx.cookies.get(nameOf(name)),
    set: write,
    clear: (ctx, name) => write(ctx, name, '', 0),
  };
}
