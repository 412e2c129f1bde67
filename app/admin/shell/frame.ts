import type { Context, Person } from '../../context.ts';
import { mayUse } from '../../auth/requireAccess.ts';
import type { Route } from '../../http/table.ts';
import type { Reader } from '../../http/reader.ts';
import type { Texts } from '../../locales/texts.ts';

/** Redirects to the first section that the person may open. */
export const FRONT_PAGE = '/admin/front';

declare module '../../context.ts' {
  interface State {
    /** The pages that there are, for the navigation of an error page. */
    pageRoutes?: readonly Route[];
  }
}

/** The sections of the admin in the order of the navigation, each shown to readers who may open its page. */
export const SECTIONS = [
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
  ['forwardAuth', '/admin/forward-auth'],
  ['scopes', '/admin/scopes'],
] as const;
export type Section = (typeof SECTIONS)[number][0];

/** The frame of every page. */
export interface Frame {
  title: string;
  locale: Reader['locale'];
  theme: Reader['theme'];
  /** The CSRF token of every form; empty if nobody is signed in. */
  csrf: string;
  /** The page to return to after a change of language or theme. */
  here: string;
  /** Whether the page answers a form that was sent without htmx; its reload sends that form again. */
  isFormAnswer: boolean;
}

/** The frame of a page for a person who is signed in. */
export interface ShellFrame extends Frame {
  sections: { id: Section; path: string; label: string; current: boolean }[];
  tenant: { id: string; name: string; slug: string };
  tenants: { id: string; name: string; current: boolean }[];
  person: { name: string; email: string; role: string };
}

/** The frame of a page that is open to the world. */
export function openFrame(ctx: Context, { locale, theme }: Reader, title: string): Frame {
  const { session } = ctx.state;
  const isFormAnswer = ctx.method === 'POST';
  const here = isFormAnswer ? ctx.path : ctx.originalUrl;
  return { title, locale, theme, csrf: session?.csrfToken ?? '', here, isFormAnswer };
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

/** Whether the access that the page's route states allows the person; a page that does not exist is closed. */
function opens(person: Person, path: string, pages: readonly Route[]): boolean {
  const page = pages.find((route) => route.method === 'GET' && route.path === path);
  return page !== undefined && mayUse(person, page.access);
}
