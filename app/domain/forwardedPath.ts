import { isUtf8 } from 'node:buffer';
import type { ProblemKey } from './problem.ts';

/** What makes a path one that two servers could read differently; each is the key of its text. */
export type PathFault =
  | 'path_not_absolute'
  | 'path_control_character'
  | 'path_backslash'
  | 'path_bad_escape'
  | 'path_encoded_slash'
  | 'path_not_utf8'
  | 'path_empty_segment'
  | 'path_dot_segment';

/** A path in the one spelling that rules are matched against, or the reason why it has none. */
export type ForwardedPath = { path: string } | { fault: PathFault & ProblemKey };

/** Nearly every path is written like this, and is its own normal form: no escapes, no segment that is empty or begins with a dot or a semicolon. */
const PLAIN = /^(?:\/[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9_~!$&'()*+,=:@;.-]*)+\/?$/;
/** What stands in a segment as it is (RFC 3986, pchar); all else is written as an escape. */
const LITERAL = /[A-Za-z0-9._~!$&'()*+,;=:@-]/;
/** Some servers take parameters off a segment before they look at it, so that `..;x` is `..` to them, and `;x` is empty. */
const DOTS = /^\.\.?(?:;|$)/;
const EMPTY = /^(?:;|$)/;

/**
 * Gives the path of a request target, as its bytes came (one character a byte), in its one spelling: without the query,
 * escapes of what a path may hold as it is decoded, all others in upper case, what must be escaped escaped. What proxies and
 * backends are known to read differently is a fault. Upper and lower case stay apart.
 */
export function readForwardedPath(target: string): ForwardedPath {
  const end = target.indexOf('?');
  const path = end === -1 ? target : target.slice(0, end);
  if (path === '/' || PLAIN.test(path)) return { path };
  if (!path.startsWith('/')) return { fault: 'path_not_absolute' };
  const written = rewritten(path);
  if ('fault' in written) return written;
  const segments = written.path.slice(1).split('/');
  if (segments.some((segment, at) => EMPTY.test(segment) && (segment !== '' || at < segments.length - 1)))
    return { fault: 'path_empty_segment' };
  if (segments.some((segment) => DOTS.test(segment))) return { fault: 'path_dot_segment' };
  return written;
}

/** The same for a path that people typed, which is text and not bytes. */
export function readTypedPath(text: string): ForwardedPath {
  return readForwardedPath(Buffer.from(text, 'utf8').toString('latin1'));
}

/** The segments of a path in its one spelling; a slash at its end makes none. */
export function segmentsOf(path: string): string[] {
  const end = path.endsWith('/') ? path.length - 1 : path.length;
  return end === 0 ? [] : path.slice(1, end).split('/');
}

function rewritten(path: string): ForwardedPath {
  let text = '';
  const bytes: number[] = [];
  for (let at = 0; at < path.length; at++) {
    let char = path.charAt(at);
    const isEscape = char === '%';
    if (isEscape) {
      const hex = path.slice(at + 1, at + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return { fault: 'path_bad_escape' };
      char = String.fromCharCode(Number.parseInt(hex, 16));
      at += 2;
    }
    const fault = faultOf(char, isEscape);
    if (fault) return { fault };
    bytes.push(char.charCodeAt(0));
    text += char === '/' || LITERAL.test(char) ? char : escaped(char);
  }
  // Overlong forms, such as C0 AF for a slash, are no UTF-8.
  return isUtf8(Uint8Array.from(bytes)) ? { path: text } : { fault: 'path_not_utf8' };
}

function faultOf(char: string, isEscape: boolean): PathFault | undefined {
  const code = char.charCodeAt(0);
  if (code < 0x20 || code === 0x7f) return 'path_control_character';
  if (char === '\\') return 'path_backslash';
  if (isEscape) return char === '/' ? 'path_encoded_slash' : undefined;
  // A space would end the target, and a fragment is never sent.
  return char === ' ' || char === '#' ? 'path_control_character' : undefined;
}

function escaped(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
