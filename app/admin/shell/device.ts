const BROWSERS = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const;
const SYSTEMS = [
  ['Android', 'Android'],
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Windows', 'Windows'],
  ['Mac OS X', 'macOS'],
  ['Linux', 'Linux'],
] as const;

/** The browser and the system that a user agent names, as people know them; empty if it names none of them. */
export function deviceOf(userAgent: string | null): string {
  const device = [nameIn(userAgent, BROWSERS), nameIn(userAgent, SYSTEMS)].filter((name) => name !== undefined);
  return device.join(' · ');
}

function nameIn(userAgent: string | null, names: readonly (readonly [string, string])[]): string | undefined {
  return names.find(([mark]) => userAgent?.includes(mark))?.[1];
}
