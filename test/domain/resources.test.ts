import { expect } from 'chai';
import { z } from 'zod';
import { RESOURCES, recordSearchValues } from '../../app/domain/resources.ts';
import { CATALOGUE } from '../../app/domain/scopeCatalogue.ts';

const SCOPES = CATALOGUE.map(({ scope }) => scope);

describe('every ordinary resource', () => {
  for (const resource of RESOURCES) {
    const { name, New, Change, kept, defaults, reference } = resource;
    const least = { name: 'one', ...(name === 'webhooks' && { url: 'https://example.com' }) };

    describe(name, () => {
      it('can be granted, action by action', () => {
        expect(SCOPES).to.include.members([`${name}:read`, `${name}:write`, `${name}:delete`, `${name}:*`]);
      });

      it('needs a name, and has a default for nearly all else', () => {
        expect(New.parse(least)).to.deep.equal({ ...defaults, ...least });
        expect(Object.keys(kept)).to.have.members(Object.keys({ ...defaults, ...least }));
        expect(New.safeParse({ ...least, name: undefined }).success).to.equal(false);
        expect(New.safeParse({ ...least, more: 1 }).success).to.equal(false);
      });

      it('is changed field by field, and what is not named gets no default', () => {
        expect(Change.parse({})).to.deep.equal({});
        for (const [field, value] of Object.entries({ ...defaults, ...least })) {
          expect(Change.parse({ [field]: value })).to.deep.equal({ [field]: value });
        }
        expect(Change.safeParse({ name: null }).success).to.equal(false);
      });

      it('is found by what fits the columns', () => {
        expect(name).to.match(/^[a-z][a-z0-9-]{0,23}$/);
        const schema = z.toJSONSchema(New, { io: 'input' });
        if (reference !== undefined) expect(JSON.stringify(schema.properties?.[reference])).to.include('"string"');
        const { status } = schema.properties ?? {};
        for (const one of (status as { enum?: string[] } | undefined)?.enum ?? []) expect(one.length).to.be.at.most(24);
        expect(recordSearchValues(resource, New.parse(least))).to.include({ name: 'one' });
      });
    });
  }
});
