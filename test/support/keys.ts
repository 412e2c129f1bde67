import { expect } from 'chai';
import type { Client, Answer, Headers } from './http.ts';

/** The key object of an answer, with its text where the answer is the one that shows it. */
export interface Key {
  id: string;
  name: string;
  key: string;
  keyPrefix: string;
  lastFour: string;
  scopes: string[];
  status: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
  lastUsedIp: string | null;
  previousKeyId: string | null;
  successorKeyId: string | null;
  graceEndsAt: string | null;
  createdAt: string;
  updatedAt: string;
  revokedAt: string | null;
}

export interface AuditRow {
  action: string;
  entity: string;
  entityId: string | null;
  actorType: string;
  actorId: string | null;
  actorName: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  ipAddress: string | null;
  createdAt: string;
}

/** Creates a key and expects it to work out. */
export async function issue(client: Client, headers: Headers, wish: object = {}): Promise<Key> {
  return keyOf(await client.post('/api/api-keys', { name: 'a key', ...wish }, headers), 201);
}

export async function rotate(client: Client, headers: Headers, id: string, wish: object = {}): Promise<Key> {
  return keyOf(await client.post(`/api/api-keys/${id}/rotate`, wish, headers), 200);
}

export async function read(client: Client, headers: Headers, id: string): Promise<Key> {
  return keyOf(await client.get(`/api/api-keys/${id}`, headers), 200);
}

/** Says with which status and code a key is taken: 200 where it works. */
export async function tried(client: Client, key: string): Promise<string> {
  const { status, body } = await client.get('/api/v1/whoami', { 'x-api-key': key });
  return status === 200 ? '200' : `${status} ${codeOf(body)}`;
}

/** The audit rows about a thing, oldest first, uses of keys left out. */
export async function auditOf(client: Client, headers: Headers, entityId: string): Promise<AuditRow[]> {
  const { status, body, text } = await client.get(`/api/audit-logs?entityId=${entityId}&limit=100`, headers);
  expect(status, text).to.equal(200);
  return (body as { data: AuditRow[] }).data.filter(({ action }) => action !== 'API_KEY_USED').reverse();
}

/** Expects a refusal by its status and code, and gives the paths of the fields it names. */
export function refusal({ status, body, text }: Answer, expectedStatus: number, code: string): string[] {
  expect([status, codeOf(body)], text).to.deep.equal([expectedStatus, code]);
  return ((body as { errors?: { path: string }[] }).errors ?? []).map(({ path }) => path);
}

/** The sentence a refusal gives. */
export function detailOf({ body }: Answer): string {
  return (body as { detail: string }).detail;
}

export function keyOf({ status, body, text }: Answer, expectedStatus: number): Key {
  expect(status, text).to.equal(expectedStatus);
  return body as Key;
}

function codeOf(body: unknown): string {
  return (body as { code?: string } | undefined)?.code ?? '';
}
