import { expect } from 'chai';
import { readConfig } from '../../../../app/config.ts';
import { covers } from '../../../../app/domain/scope.ts';
import { CATALOGUE } from '../../../../app/domain/scopeCatalogue.ts';
import { connect } from '../../../../db/connection/connect.ts';
import { COVERED } from '../../../../db/tables/keys/apiKeyAttention.ts';
import { onEachDatabase } from '../../../support/databases.ts';

onEachDatabase('the rule of covered scopes in SQL', (database) => {
  it('agrees with the rules for every two scopes of the catalogue', async () => {
    const scopes = [...CATALOGUE.map(({ scope }) => scope), '*:*'];
    const db = connect(readConfig({ ...database.env(), JWT_SECRET: 'x'.repeat(32) }).database);
    try {
      const list = scopes.map(() => 'select ? as scope').join(' union all ');
      const found = await db
        .from(db.raw(`(${list}) held cross join (${list}) used`, [...scopes, ...scopes]))
        .whereRaw(COVERED)
        .select<{ held: string; used: string }[]>({ held: 'held.scope', used: 'used.scope' });
      const said = new Set(found.map(({ held, used }) => `${held} covers ${used}`));
      const asked = scopes.filter((scope) => !scope.includes('*'));
      const expected = scopes.flatMap((held) =>
        asked.filter((used) => covers(held, used)).map((used) => `${held} covers ${used}`),
      );
      // Routes ask for no more than one action at once.
      expect([...said].filter((pair) => !/\*$/.test(pair)).sort()).to.deep.equal(expected.sort());
    } finally {
      await db.destroy();
    }
  });
});
