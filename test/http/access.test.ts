import { expect } from 'chai';
import { permission, scope } from '../../app/http/access.ts';

describe('What a route asks for', () => {
  it('is a scope that can be granted', () => {
    expect(scope('orders:read').access).to.deep.equal({ kind: 'scope', scope: 'orders:read' });
    expect(() => scope('oders:read')).to.throw('oders:read is not in the catalogue');
    expect(() => permission('api-keys:read', 'api-key:read')).to.throw('api-key:read is not in the catalogue');
  });
});
