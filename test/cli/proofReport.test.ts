import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../../app/root.ts';
import { RouteListAnswer } from '../../app/api/answers/route.ts';
import { routeTable } from '../../scripts/proof/routeTable.ts';
import { as } from '../support/cast.ts';
import { onDatabase } from '../support/databases.ts';
import { useServer } from '../support/useServer.ts';

onDatabase('sqlite', 'reports/step24-proof.md', (database) => {
  const { server, alice } = useServer(database);

  it('has the route table of the running app: after a change of routes, scripts/verify.sh writes it anew', async () => {
    const { body } = await server.get('/api/v1/admin/routes', as(alice));
    const report = readFileSync(path.join(ROOT, 'reports/step24-proof.md'), 'utf8');
    const rows = report.split('\n').filter((line) => /^\| [A-Z]+ \| `\//.test(line));
    const [, , ...served] = routeTable(RouteListAnswer.parse(body).data).split('\n');
    expect(rows).to.deep.equal(served);
  });
});
