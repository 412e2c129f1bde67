import { createPublicKey, verify, type KeyObject } from 'node:crypto';

/** The keys by which GitHub signs what its secret scanning finds, by their identifiers. */
export type GithubKeys = ReadonlyMap<string, KeyObject>;

const CURVE = 'prime256v1';

/** Reads a key set as GitHub publishes it: only keys on P-256 are of use; throws where there is none. */
export function githubKeysIn(text: string): GithubKeys {
  const { public_keys: published } = (JSON.parse(text) ?? {}) as { public_keys?: unknown };
  const entries: unknown[] = Array.isArray(published) ? published : [];
  const keys = new Map(entries.flatMap(keyIn));
  if (keys.size === 0) throw new Error('the key set has no key on P-256');
  return keys;
}

function keyIn(entry: unknown): [string, KeyObject][] {
  const { key_identifier: identifier, key: pem } = (entry ?? {}) as { key_identifier?: unknown; key?: unknown };
  if (typeof identifier !== 'string' || typeof pem !== 'string') return [];
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyDetails?.namedCurve === CURVE ? [[identifier, key]] : [];
  } catch {
    return [];
  }
}

/** Whether this key signed these very bytes: ECDSA over SHA-256, the signature in DER and base64. */
export function isSignedBy(key: KeyObject, bytes: Buffer, signature: string): boolean {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(signature)) return false;
  return verify('sha256', bytes, { key, dsaEncoding: 'der' }, Buffer.from(signature, 'base64'));
}
