import type { z } from 'zod';
import type { RouteListAnswer } from '../../app/api/answers/route.ts';

type Route = z.output<typeof RouteListAnswer>['data'][number];

/** The routes as a Markdown table, in the order of paths: what each asks of a key and of a person. */
export function routeTable(routes: readonly Route[]): string {
  const rows = routes
    .map((route) => [route.path, route.method, ...asks(route)])
    .sort(([a, b], [c, d]) => order(a, c) || order(b, d))
    .map(([path, method, key, person]) => `| ${method} | \`${path}\` | ${key} | ${person} |`);
  return ['| method | path | an API key needs | a person needs |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** The access of a route for keys and for people. */
function asks({ access, scope, platformScope, permission }: Route): [key: string, person: string] {
  switch (access) {
    case 'public':
      return ['nothing', 'nothing'];
    case 'anyone':
      return ['any valid key', 'any valid token'];
    case 'scope':
      return [[scope, platformScope].filter(Boolean).map(code).join(' or '), 'a role that stands for it'];
    case 'permission':
      return [scope === undefined ? 'not for keys' : code(scope), code(permission)];
    case 'basic':
      return ['not for keys', 'support staff, by HTTP Basic'];
    case 'proxy':
      return ['what the forward-auth rules say', 'what the forward-auth rules say'];
  }
}

function code(name: string | undefined): string {
  return name === undefined ? '' : `\`${name}\``;
}

function order(one = '', other = ''): number {
  return one < other ? -1 : Number(one > other);
}
