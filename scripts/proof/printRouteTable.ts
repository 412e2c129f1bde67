import { text } from 'node:stream/consumers';
import { RouteListAnswer } from '../../app/api/answers/route.ts';
import { routeTable } from './routeTable.ts';

// Turns the answer of `GET /api/v1/admin/routes` on standard input into a table.
console.log(routeTable(RouteListAnswer.parse(JSON.parse(await text(process.stdin))).data));
