/** The address of a page of this organisation, such as `/api-keys`; without a page, the one that leads to its first page. */
export function pageOf({ slug }: { slug: string }, page = ''): string {
  return `/admin/org/${slug}${page}`;
}

/** The address of a page of Acme, the organisation of most of the cast. */
export function acmePage(page = ''): string {
  return pageOf({ slug: 'acme' }, page);
}
