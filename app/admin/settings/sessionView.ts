import type { Session } from '../../../db/tables/people/sessions.ts';
import { deviceOf } from '../shell/device.ts';

/** A session as the person it belongs to recognises it; neither its token nor that of its forms. */
export function presentSession({ id, ip, userAgent, createdAt, lastSeenAt }: Session, currentId: string) {
  return { id, ip, userAgent, device: deviceOf(userAgent), createdAt, lastSeenAt, current: id === currentId };
}
