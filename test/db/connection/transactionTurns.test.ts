import { expect } from 'chai';
import { readConfig } from '../../../app/config.ts';
import { connect } from '../../../db/connection/connect.ts';
import { onDatabase } from '../../support/databases.ts';
import { JWT_SECRET } from '../../support/server.ts';

/** Some ten milliseconds of work, however quick the machine is. */
const LONG =
  'with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000) select max(i) as most from n';

onDatabase('sqlite', 'a transaction of long statements', (database) => {
  it('lets other work of the process run between two statements', async () => {
    const db = connect(readConfig({ JWT_SECRET, ...database.env() }).database);
    const course: string[] = [];
    await db.transaction(async (trx) => {
      for (let at = 0; at < 3; at++) {
        setImmediate(() => course.push('another'));
        await trx.raw(LONG);
        course.push('statement');
      }
    });
    await db.destroy();
    expect(course).to.deep.equal(['another', 'statement', 'another', 'statement', 'another', 'statement']);
  });
});
