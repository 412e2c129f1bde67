/** What a form on the page carries of the values that it was opened with. */
export function openedIn(text: string): string {
  const [, value = ''] = /name="opened" value="([^"]+)"/.exec(text) ?? [];
  return value.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&#92;', '\\').replaceAll('&amp;', '&');
}

/** The rows of the table of what others have changed: label, opened, stored, yours. */
export function conflictRowsIn(text: string): string[][] {
  const [, body = ''] = /<table class="[^"]*conflict">.*?<tbody>(.*?)<\/tbody>/s.exec(text) ?? [];
  return body
    .split('</tr>')
    .slice(0, -1)
    .map((row) =>
      [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell = '']) => cell.replace(/<[^>]+>/g, '').trim()),
    );
}
