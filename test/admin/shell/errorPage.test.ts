import { expect } from 'chai';
import type { Context } from '../../../app/context.ts';
import { AppError, unavailable } from '../../../app/errors.ts';
import { errorPage } from '../../../app/admin/shell/errorPage.ts';

function page(
  problem: AppError,
  { locale = 'en', method = 'GET' }: { locale?: 'en' | 'fr'; method?: string } = {},
): string {
  const ctx = { method, path: '/', originalUrl: '/', state: { requestId: 'r-1' } };
  return errorPage(ctx as unknown as Context, problem, { locale, theme: undefined });
}

const paragraphs = (html: string) => [...html.matchAll(/<p[^>]*>([^<]*)<\/p>/g)].map(([, text]) => text);

describe('the page of an error', () => {
  it('says once when to try again, and offers nothing else', () => {
    expect(paragraphs(page(unavailable()))).to.deep.equal([
      'The service cannot answer right now.',
      'Nothing was changed.',
      'Try again in 1 second.',
    ]);
  });

  it('says what to do about each refusal that going back does not solve', () => {
    const next = (...problem: ConstructorParameters<typeof AppError>) =>
      paragraphs(page(new AppError(...problem))).at(-1);
    expect(next('tenant_suspended')).to.equal('Ask the operator of this installation.');
    expect(next('already_rotated')).to.equal('Open the key that replaced it.');
    expect(next('key_not_active')).to.equal('Create another key instead.');
    expect(next('method_not_allowed')).to.equal('Go back and use the buttons of the page.');
    expect(next('conflict')).to.equal('Open the page again to see how things stand now.');
  });

  it('names the missing permission in French too, and escapes it', () => {
    const problem = new AppError('insufficient_permission', {
      key: 'missing_permission',
      values: { permission: '<b>audit:read' },
    });
    expect(page(problem, { locale: 'fr', method: 'POST' }))
      .to.include('Droit requis\u00a0: &lt;b&gt;audit:read')
      .and.include('Demandez ce droit à un propriétaire')
      .and.include('Identifiant de requête <code>r-1</code>');
  });
});
