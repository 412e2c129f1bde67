import type { Context, Person } from '../../context.ts';
import { mayUse } from '../../auth/requireAccess.ts';
import { ORGANISATION, pathOfOrganisation } from '../../http/organisationPath.ts';
import type { Route } from '../../http/table.ts';
import type { Reader } from '../../http/reader.ts';
import type { Texts } from '../../locales/texts.ts';
import { navigationOf, type Navigation, type NavigationSection } from './navigation.ts';

/** Redirects to the first section that the person may open, of the organisation used last. */
export const FRONT_PAGE = '/admin/front';

declare module '../../context.ts' {
  interface State {
    /** The pages that there are, for the navigation of an error page. */
    pageRoutes?: readonly Route[];
  }
}

/** The sections of an organisation in the order of the navigation, each shown to readers who may open its page. */
const SECTIONS = [
  ['keys', '/api-keys'],
  ['usage', '/usage'],
  ['audit', '/audit-logs'],
  ['routes', '/routes'],
  ['marketplace', '/marketplace'],
  ['billing', '/billing'],
  ['settings', '/settings'],
  ['members', '/members'],
  ['tickets', '/tickets'],
] as const;

/** The sections of operators, which belong to no organisation. */
const OPERATOR_SECTIONS = [
  ['tenants', '/admin/tenants'],
  ['forwardAuth', '/admin/forward-auth'],
  ['scopes', '/admin/scopes'],
] as const;
export type Section = (typeof SECTIONS | typeof OPERATOR_SECTIONS)[number][0];

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
  sections: NavigationSection[];
  navigation: Navigation;
  tenant: { id: string; name: string; slug: string };
  /** Where the pages of each organisation begin: that address leads to the first one open to the reader. */
  tenants: { id: string; name: string; path: string; current: boolean }[];
  person: { id: string; name: string; email: string; role: string };
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
    .map(({ tenant }) => ({
      id: tenant.id,
      name: tenant.name,
      path: pathOfOrganisation(tenant),
      current: tenant.id === id,
    }))
    .sort((a, b) => a.name.localeCompare(b.name, frame.locale));
  const sections = openSections(principal, { pages, texts }).map((one) => ({ ...one, current: one.id === section }));
  return {
    ...frame,
    sections,
    navigation: navigationOf(sections, (name) => texts.t(`shell.${name}`)),
    tenant: { id, slug, name: tenants.find(({ current }) => current)?.name ?? slug },
    tenants,
    person: { id: principal.id, name: principal.name, email: session.email, role: principal.role },
  };
}

/** The sections that open to this person, by name. */
export function openSections(
  person: Person,
  { pages, texts }: { pages: readonly Route[]; texts: Texts },
): { id: Section; path: string; label: string }[] {
  return sectionsOf(person, pages).map(({ id, path }) => ({ id, path, label: texts.t(`shell.${id}`) }));
}

/** The address of the first section that opens to this person in their organisation. */
export function firstAllowedPage(person: Person, pages: readonly Route[]): string | undefined {
  return sectionsOf(person, pages)[0]?.path;
}

/** The section that an address of this organisation lies in. */
export function sectionOfPath(organisation: { slug: string }, path: string): Section | undefined {
  return allSections(organisation).find((one) => path === one.path || path.startsWith(`${one.path}/`))?.id;
}

/** The sections that open to the person. */
function sectionsOf(person: Person, pages: readonly Route[]): SectionLink[] {
  return allSections(person.tenant).filter(({ route }) => opens(person, route, pages));
}

interface SectionLink {
  id: Section;
  path: string;
  /** The path as its route states it. */
  route: string;
}

function allSections(organisation: { slug: string }): SectionLink[] {
  return [
    ...SECTIONS.map(([id, page]) => ({
      id,
      path: pathOfOrganisation(organisation, page),
      route: ORGANISATION + page,
    })),
    ...OPERATOR_SECTIONS.map(([id, path]) => ({ id, path, route: path })),
  ];
}

/** Whether the access that the page's route states allows the person; a page that does not exist is closed. */
export function opens(person: Person, path: string, pages: readonly Route[]): boolean {
  const page = pages.find((route) => route.method === 'GET' && route.path === path);
  return page !== undefined && mayUse(person, page.access);
}
