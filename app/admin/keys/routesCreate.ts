import Router from '@koa/router';
import { findApiKey, type ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { issueKey } from '../../actions/keys/issueKey.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import { isId } from '../../domain/id.ts';
import { NewKey } from '../../domain/keyInput.ts';
import { AppError } from '../../errors.ts';
import { formOf } from '../../auth/csrf.ts';
import {
  fieldsLikeKey,
  formLocals,
  keyFieldsOf,
  newKeyFields,
  keyFormProblems,
  keyInputOf,
  type KeyFields,
  type Problems,
} from './keyForm.ts';
import { readFields } from '../shell/formErrors.ts';
import { keysPath } from './keyAddress.ts';
import { presetsIn, scopeChoices } from './keyScopes.ts';
import { revealKey } from './keyReveal.ts';
import { idempotentForm } from '../shell/idempotentForm.ts';
import type { Pages } from '../shell/pages.ts';
import type { Services } from '../../services.ts';
import { permission } from '../../http/access.ts';
import { ROUTER } from '../../http/router.ts';
import type { Route } from '../../http/table.ts';

/** The page that issues a key, and the answer that shows its text. */
export function keyCreatePages(
  { db, config, lookup }: Pick<Services, 'db' | 'config' | 'lookup'>,
  pages: Pages,
  table: () => readonly Route[],
): Router<State> {
  const place = { section: 'keys', home: '/api-keys' } as const;
  return new Router<State>(ROUTER)
    .get('/api-keys/new', permission('api-keys:manage'), async (ctx) => {
      const { policy } = principalOf(ctx).tenant;
      const original = await findOriginal(ctx);
      if (!original) return showForm(ctx, newKeyFields(ctx.querystring, policy, await lookup.catalogue()));
      const fields = fieldsLikeKey(original, policy, Date.now(), pages.texts(ctx));
      return showForm(ctx, fields, { original });
    })
    .post(
      '/api-keys/new',
      permission('api-keys:manage'),
      idempotentForm(db, pages, place, async (ctx, act) => {
        const fields = keyFieldsOf(formOf(ctx));
        const texts = pages.texts(ctx);
        const { environment, owner } = fields;
        try {
          const input = readFields(NewKey, { ...keyInputOf(fields, act.now), environment, owner: owner || undefined });
          const { key, text } = await issueKey(act, config.keys, input);
          await revealKey(pages, ctx, { key, text, now: act.now, publicUrl: config.publicUrl });
        } catch (error) {
          await showForm(ctx, fields, { problems: keyFormProblems(error, texts) });
        }
      }),
    );

  /** The key that the new one is to be like, `?from=<id>`: one of the same tenant, whatever its state, or 404. */
  async function findOriginal(ctx: Context): Promise<ApiKey | undefined> {
    const id = new URLSearchParams(ctx.querystring).get('from');
    if (id === null) return undefined;
    const key = isId(id) ? await findApiKey(db, principalOf(ctx).tenant.id, id) : undefined;
    if (!key) throw new AppError('not_found', 'no_such_key');
    return key;
  }

  async function showForm(ctx: Context, fields: KeyFields, { problems, original }: FormShown = {}): Promise<void> {
    const texts = pages.texts(ctx);
    const principal = principalOf(ctx);
    const catalogue = await lookup.catalogue();
    const groups = scopeChoices(principal, texts, catalogue, table(), { checked: fields.scopes });
    const taken = new Set(
      groups.flatMap(({ rows }) => rows.flatMap(({ choices }) => choices.map(({ scope }) => scope))),
    );
    if (problems) ctx.status = 422;
    await pages.show(ctx, 'keys/new', {
      title: texts.t(problems ? 'keys.new_title_again' : 'keys.new_title'),
      section: 'keys',
      part: 'keys/_new',
      here: `${keysPath(ctx)}/new`,
      locals: {
        ...formLocals(texts, principal.tenant.policy, fields, problems),
        groups,
        original: original && {
          name: original.name,
          left: original.scopes.filter((scope) => !taken.has(catalogue.meaningOf(scope))).join(', '),
        },
        presets: presetsIn(catalogue).map(([id, scopes]) => ({
          label: texts.t(`keys.preset_${id}`),
          scopes: scopes.join(' '),
          href: `${keysPath(ctx)}/new?${new URLSearchParams({ scopes: scopes.join(','), name: fields.name }).toString()}`,
        })),
      },
    });
  }
}

/** What is shown above the fields. */
interface FormShown {
  problems?: Problems;
  /** The key that the fields were filled in from. */
  original?: ApiKey;
}
