import Router from '@koa/router';
import { z } from 'zod';
import { actionContext } from '../actions/actionContext.ts';
import { replaceScopes } from '../actions/installation/replaceScopes.ts';
import type { Context, State } from '../context.ts';
import { productScopesInput, productScopesOf, type ProductScope } from '../domain/productScopes.ts';
import { AppError } from '../errors.ts';
import { scope } from '../http/access.ts';
import { answers } from '../http/answers.ts';
import { setEtag, showsEtag, takesIfMatch } from '../http/etag.ts';
import { takesForce } from '../http/force.ts';
import { body } from '../http/input.ts';
import { ROUTER } from '../http/router.ts';
import type { Services } from '../services.ts';

const ShownScope = z.strictObject({
  scope: z.string(),
  group: z.string().optional(),
  description: z.strictObject({ en: z.string(), fr: z.string().optional() }),
  alias: z.string().optional(),
});

const ProductScopesAnswer = z.strictObject({ scopes: z.array(ShownScope) });

const ReplacedScopesAnswer = ProductScopesAnswer.extend({
  stillHeld: z
    .array(z.strictObject({ scope: z.string(), keys: z.int() }))
    .meta({ description: 'Names that are gone and that keys hold still, with how many do.' }),
});

/** The scopes of the product, which operators decide for the whole installation. */
export function scopeRoutes({ db, lookup, config }: Pick<Services, 'db' | 'lookup' | 'config'>): Router<State> {
  const show = (ctx: Context, scopes: readonly ProductScope[], revision: string) => {
    setEtag(ctx, revision);
    return { scopes: scopes.map(presentScope) };
  };

  return new Router<State>(ROUTER)
    .get(
      '/scopes',
      scope('platform:scopes'),
      showsEtag(),
      answers(200, ProductScopesAnswer, 'Lists the scopes of the product, which stand beside Latchkey’s own.'),
      async (ctx) => {
        const { value, revision } = (await lookup.settings()).scopes;
        ctx.body = show(ctx, productScopesOf(value), revision);
      },
    )
    .put(
      '/scopes',
      scope('platform:scopes'),
      showsEtag(),
      takesIfMatch(),
      takesForce(),
      answers(200, ReplacedScopesAnswer, 'Replaces the scopes of the product; they hold in every process at once.', [
        'scopes_in_use',
        'managed_by_file',
        'invalid_query',
      ]),
      body(productScopesInput(config.sampleProduct), async (ctx, { scopes }) => {
        if (config.scopesFile !== undefined) throw new AppError('managed_by_file', 'managed_by_file');
        const wish = { force: ctx.state.forced === true, sampleProduct: config.sampleProduct };
        const { revision, stillHeld } = await replaceScopes(actionContext(ctx, db), scopes, wish);
        ctx.body = { ...show(ctx, scopes, revision), stillHeld };
      }),
    );
}

function presentScope({ scope, group, description: { en, fr }, alias }: ProductScope): z.output<typeof ShownScope> {
  return {
    scope,
    ...(group !== undefined && { group }),
    description: { en, ...(fr !== undefined && { fr }) },
    ...(alias !== undefined && { alias }),
  };
}
