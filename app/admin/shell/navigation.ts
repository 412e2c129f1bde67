/** A page of the navigation, as it is shown to a reader who may open it. */
export interface NavigationSection {
  id: keyof typeof PLACES;
  path: string;
  label: string;
  current: boolean;
}

/** What the frame of a page shows of its sections. */
export interface Navigation {
  /** The row of links; all pages of the settings are behind one of them. */
  links: NavigationLink[];
  menus: NavigationMenu[];
  /** The pages of the settings, where one of them is shown. */
  tabs: NavigationSection[];
}

interface NavigationLink {
  path: string;
  label: string;
  current: boolean;
}

interface NavigationMenu {
  id: Menu;
  label: string;
  current: boolean;
  sections: NavigationSection[];
}

/** Where each section stands, in the order of the navigation. */
const PLACES = {
  keys: 'row',
  usage: 'row',
  audit: 'row',
  members: 'row',
  settings: 'settings',
  routes: 'settings',
  billing: 'product',
  marketplace: 'product',
  tickets: 'product',
  tenants: 'operator',
  scopes: 'operator',
  forwardAuth: 'operator',
} as const;
const ORDER = Object.keys(PLACES);

/** The menus beside the links; one without a page that opens to the reader is not shown. */
const MENUS = ['product', 'operator'] as const;
type Menu = (typeof MENUS)[number];

/** Places the sections that open to the reader; `label` names menus and the first of the tabs in the reader's language. */
export function navigationOf(
  sections: readonly NavigationSection[],
  label: (name: 'settings' | 'general' | Menu) => string,
): Navigation {
  const inOrder = [...sections].sort((a, b) => ORDER.indexOf(a.id) - ORDER.indexOf(b.id));
  const placed = (place: string) => inOrder.filter(({ id }) => PLACES[id] === place);
  const settings = placed('settings');
  const hasCurrent = (some: readonly NavigationSection[]) => some.some(({ current }) => current);
  return {
    links: [
      ...placed('row'),
      ...settings.slice(0, 1).map(({ path }) => ({ path, label: label('settings'), current: hasCurrent(settings) })),
    ],
    menus: MENUS.map((id) => ({ id, label: label(id), current: hasCurrent(placed(id)), sections: placed(id) })).filter(
      (menu) => menu.sections.length > 0,
    ),
    tabs:
      hasCurrent(settings) && settings.length > 1
        ? settings.map((one) => (one.id === 'settings' ? { ...one, label: label('general') } : one))
        : [],
  };
}
