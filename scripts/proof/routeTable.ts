import { text } from 'node:stream/consumers';
import type { z } from 'zod';
import { RouteListAnswer } from '../../app/presenters/route.ts';

type Route = z.output<typeof RouteListAnswer>['data'][number];

/** What a route asks of a key and of a person. */
function asks({ access, scope, permission }: Route): [key: string, person: string] {
  switch (access) {
    case 'public':
      return ['nothing', 'nothing'];
    case 'anyone':
      return ['any valid key', 'any valid token'];
    case 'scope':
      return [code(scope), 'a role that stands for it'];
    case 'permission':
      return [scope === undefined ? 'not for keys' : code(scope), code(permission)];
    case 'basic':
      return ['not for keys', 'support staff, by HTTP Basic'];
  }
}

function code(name: string | undefined): string {
  return name === undefined ? '' : `\`${name}\``;
}

/** Turns the answer of `GET /api/v1/admin/routes` on standard input into a table, in the order of paths. */
const { data } = RouteListAnswer.parse(JSON.parse(await text(process.stdin)));
const rows = data
  .map((route) => [route.path, route.method, ...asks(route)])
  .sort(([a, b], [c, d]) => order(a, c) || order(b, d));
console.log('| method | path | an API key needs | a person needs |\n| --- | --- | --- | --- |');
for (const [path, method, key, person] of rows) console.log(`| ${method} | \`${path}\` | ${key} | ${person} |`);

function order(one = '', other = ''): number {
  return one < other ? -1 : Number(one > other);
}
