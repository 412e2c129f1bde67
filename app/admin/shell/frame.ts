import type { Context, Person } from '../../context.ts';
import { mayUse } from '../../auth/requireAccess.ts';
import type { Route } from '../../http/table.ts';
import type { Reader } from '../../http/reader.ts';
import type { Texts } from '../../locales/texts.ts';

/** The parts of the admin, in the order of the navigation; each is shown to whom its page opens. */
const SECTIONS = [
  ['keys', '/admin/api-keys'],
  ['usage', '/admin/usage'],
  ['audit', '/admin/audit-logs'],
  ['routes', '/admin/routes'],
  ['marketplace', '/admin/marketplace'],
  ['billing', '/admin/billing'],
  ['security', '/admin/security'],
  ['members', '/admin/members'],
  ['tickets', '/admin/tickets'],
  ['tenants', '/admin/tenants'],
] as const;
export type Section = (typeof SECTIONS)[number][0];

/** What every page has around it, whoever reads it. */
export interface Frame {
  title: string;
  locale: Reader['locale'];
  theme: Reader['theme'];
  /** What every form carries; empty where nobody is signed in. */
  csrf: string;
  /** Where to come back to after a switch of language or look. */
  here: string;
}

/** What a page of somebody who is signed in has around it too. */
export interface ShellFrame extends Frame {
  sections: { id: Section; path: string; label: string; current: boolean }[];
  tenant: { id: string; name: string; slug: string };
  tenants: { id: string; name: string; current: boolean }[];
  person: { name: string; email: string; role: string };
}

/** The frame of a page that is open to the world. */
export function openFrame(ctx: Context, { locale, theme }: Reader, title: string): Frame {
  const { session } = ctx.state;
  const here = ctx.method === 'GET' ? ctx.originalUrl : ctx.path;
  return { title, locale, theme, csrf: session?.csrfToken ?? '', here };
}

/** The frame of a page of the person who is signed in. */
export function shellFrame(
  ctx: Context,
  frame: Frame,
  section: Section | undefined,
  { pages, texts }: { pages: readonly Route[]; texts: Texts },
): ShellFrame {
  const { principal, session, belongings = [] } = ctx.state;
  if (principal?.type !== 'user' || !session) throw new Error('a page of the admin was reached without a session');
  const { id, slug } = principal.tenant;
  const tenants = belongings
    .map(({ tenant }) => ({ id: tenant.id, name: tenant.name, current: tenant.id === id }))
    .sort((a, b) => a.name.localeCompare(b.name, frame.locale));
  return {
    ...frame,
    sections: SECTIONS.filter(([, path]) => opens(principal, path, pages)).map(([name, path]) => ({
      id: name,
      path,
      label: texts.t(`shell.${name}`),
      current: name === section,
    })),
    tenant: { id, slug, name: tenants.find(({ current }) => current)?.name ?? slug },
    tenants,
    person: { name: principal.name, email: session.email, role: principal.role },
  };
}

/** The address of the first part that opens to this person. */
export function firstAllowedPage(person: Person, pages: readonly Route[]): string | undefined {
  return SECTIONS.map(([, path]) => path).find((path) => opens(person, path, pages));
}

/** The page itself says who may open it; a page that does not exist opens for nobody. */
function opens(person: Person, path: string, pages: readonly Route[]): boolean {
  const page = pages.find((route) => route.method === 'GET' && route.path === path);
  return page !== undefined && mayUse(person, page.access);
}
