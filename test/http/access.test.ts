import { expect } from 'chai';
import { permission, scope } from '../../app/http/access.ts';

describe('What a route asks for', () => {
  it('is a scope that can be granted', () => {
    expect(scope('orders:read').access).to.deep.equal({ kind: 'scope', scope: 'orders:read' });
    expect(() => scope('oders:read')).to.throw(
      'a route asks for oders:read, which is in no list of scopes: add it to app/domain/ownScopes.ts',
    );
    expect(() => permission('api-keys:read', 'api-key:read')).to.throw('a route asks for api-key:read');
  });
});
