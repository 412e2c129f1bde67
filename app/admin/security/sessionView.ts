import type { Session } from '../../../db/tables/people/sessions.ts';

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

/** A session as the person it belongs to recognises it; neither its token nor that of its forms. */
export function presentSession({ id, ip, userAgent, createdAt, lastSeenAt }: Session, currentId: string) {
  const device = [nameIn(userAgent, BROWSERS), nameIn(userAgent, SYSTEMS)].filter((name) => name !== undefined);
  return { id, ip, userAgent, device: device.join(' · '), createdAt, lastSeenAt, current: id === currentId };
}

function nameIn(userAgent: string | null, names: readonly (readonly [string, string])[]): string | undefined {
  return names.find(([mark]) => userAgent?.includes(mark))?.[1];
}
