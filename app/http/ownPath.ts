/** Stands for our own origin, whatever that is. */
const HERE = 'http://here.invalid';

/**
 * The path and query of a page of this admin; undefined for anything that could lead elsewhere, such as
 * `//evil.example` or `/\evil.example`, and for pages that only redirect.
 */
export function ownPath(text: string | null | undefined): string | undefined {
  if (!text?.startsWith('/') || text.length > 2_000 || !URL.canParse(text, HERE)) return undefined;
  const url = new URL(text, HERE);
  // A path such as `/.//evil.example` is ours when it is read, and theirs once it is written into a header.
  if (url.origin !== HERE || url.pathname.startsWith('//') || /^\/(?:login|logout)(?:\/|$)/.test(url.pathname)) {
    return undefined;
  }
  return url.pathname + url.search;
}

/** The path of the admin page that a browser reports to be on, under any host name. */
export function pathOfUrl(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { pathname, search } = new URL(url);
  return ownPath(pathname + search);
}
