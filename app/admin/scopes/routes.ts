import Router from '@koa/router';
import { z } from 'zod';
import { countHolders } from '../../../db/tables/keys/apiKeyScopes.ts';
import { actionContext } from '../../actions/actionContext.ts';
import { replaceScopes } from '../../actions/installation/replaceScopes.ts';
import { formOf } from '../../auth/csrf.ts';
import type { Context, State } from '../../context.ts';
import { productScopesInput, productScopesOf, readPart, type ProductScope } from '../../domain/productScopes.ts';
import { normaliseScope } from '../../domain/scope.ts';
import { AppError, type ErrorCode } from '../../errors.ts';
import { scope } from '../../http/access.ts';
import { ROUTER } from '../../http/router.ts';
import type { Services } from '../../services.ts';
import { askConfirmation } from '../shell/confirmation.ts';
import { conflictRows, mergeValues, openedIn } from '../shell/conflict.ts';
import { formErrors, readFields, type FormErrors } from '../shell/formErrors.ts';
import type { Pages } from '../shell/pages.ts';
import {
  entryOf,
  FIELDS,
  fieldsIn,
  fieldsOf,
  HOME,
  MOST_HOLDERS,
  namesOfAll,
  presentScopesPage,
  type ScopeFields,
} from './view.ts';

/** What a form comes back with, for its reader to decide. */
const DECIDABLE: ReadonlySet<ErrorCode> = new Set(['invalid_input', 'scopes_in_use', 'changed_meanwhile']);

const OpenedScope = z.object({
  scope: z.string(),
  group: z.string(),
  en: z.string(),
  fr: z.string(),
  alias: z.string(),
});
const EMPTY: ScopeFields = { scope: '', group: '', en: '', fr: '', alias: '' };

/** The scopes of the product, for the operators of the installation. */
export function scopePages(
  { db, lookup, config }: Pick<Services, 'db' | 'lookup' | 'config'>,
  pages: Pages,
): Router<State> {
  const input = productScopesInput(config.sampleProduct);
  const access = () => scope('platform:scopes');
  return new Router<State>(ROUTER)
    .get('/scopes', access(), showAll)
    .get('/scopes/new', access(), async (ctx) => showForm(ctx, undefined, EMPTY))
    .post('/scopes/new', access(), async (ctx) => saveEntry(ctx, undefined))
    .get('/scopes/edit', access(), async (ctx) => {
      const entry = await entryOfAddress(ctx);
      await showForm(ctx, entry.scope, fieldsOf(entry));
    })
    .post('/scopes/edit', access(), async (ctx) => saveEntry(ctx, (await entryOfAddress(ctx)).scope))
    .get('/scopes/remove', access(), askRemoval)
    .post('/scopes/remove', access(), async (ctx) => {
      const form = formOf(ctx);
      const { scopes } = await present();
      const name = form.get('scope');
      await replace(
        ctx,
        scopes.filter((one) => one.scope !== name),
        { force: true, revision: form.get('revision') },
      );
      pages.redirect(ctx, HOME, { text: 'scopes.removed', values: { scope: name ?? '' } });
    })
    .get('/scopes/json', access(), async (ctx) => showJson(ctx, textOf((await present()).scopes)))
    .post('/scopes/json', access(), saveJson);

  async function present(): Promise<{ scopes: ProductScope[]; revision: string; isSample: boolean }> {
    const { value, revision } = (await lookup.settings()).scopes;
    return { scopes: productScopesOf(value), revision, isSample: readPart(value).scopes === null };
  }

  async function replace(
    ctx: Context,
    scopes: readonly ProductScope[],
    { force, revision }: { force: boolean; revision: string | null },
  ): Promise<void> {
    if (config.scopesFile !== undefined) throw new AppError('managed_by_file', 'managed_by_file');
    const act = { ...actionContext(ctx, db), expectedVersions: [revision ?? ''] };
    await replaceScopes(act, scopes, { force, sampleProduct: config.sampleProduct });
  }

  async function entryOfAddress(ctx: Context): Promise<ProductScope> {
    const wanted = new URLSearchParams(ctx.querystring).get('scope');
    const entry = (await present()).scopes.find((one) => one.scope === wanted);
    if (!entry) throw new AppError('not_found');
    return entry;
  }

  async function showAll(ctx: Context): Promise<void> {
    const texts = pages.texts(ctx);
    const { scopes, isSample } = await present();
    const held = await countHolders(db, namesOfAll(scopes), MOST_HOLDERS + 1);
    await pages.show(ctx, 'scopes/list', {
      title: texts.t('scopes.title'),
      section: 'scopes',
      locals: {
        groups: presentScopesPage(scopes, held, texts),
        isSample: isSample && scopes.length > 0,
        file: config.scopesFile !== undefined,
      },
    });
  }

  async function askRemoval(ctx: Context): Promise<void> {
    const { t, number } = pages.texts(ctx);
    const entry = await entryOfAddress(ctx);
    const held = await countHolders(db, namesOfAll([entry]), MOST_HOLDERS + 1);
    const keys = held.reduce((sum, one) => sum + one.keys, 0);
    await askConfirmation(pages, ctx, 'scopes', {
      title: t('scopes.remove_title', { scope: entry.scope }),
      lines: [
        t('scopes.remove_text'),
        ...(keys > 0
          ? [
              t('scopes.remove_held', {
                count: keys,
                keys: keys > MOST_HOLDERS ? `${number(MOST_HOLDERS)}+` : number(keys),
              }),
            ]
          : []),
      ],
      action: `${HOME}/remove`,
      fields: { scope: entry.scope, revision: (await present()).revision },
      submit: t('scopes.remove'),
      keep: t('scopes.keep'),
      back: HOME,
      danger: true,
    });
  }

  /** Puts the entry of the form in the place of the one that is named, or at the end. */
  async function saveEntry(ctx: Context, replaced: string | undefined): Promise<void> {
    const form = formOf(ctx);
    const fields = fieldsIn(form);
    const { scopes } = await present();
    const place = replaced === undefined ? scopes.length : scopes.findIndex((one) => one.scope === replaced);
    try {
      const wish = scopes.toSpliced(place, 1, entryOf(fields) as ProductScope);
      const read = readFields(input, { scopes: wish });
      await replace(ctx, read.scopes, { force: form.get('force') === 'true', revision: form.get('revision') });
    } catch (error) {
      const opened = openedIn(form, OpenedScope);
      await showForm(ctx, replaced, fields, {
        refusal: decidable(error),
        place,
        revision: form.get('revision'),
        opened,
      });
      return;
    }
    const scope = normaliseScope(fields.scope) ?? fields.scope;
    // The address of a row opens the group that it is folded in.
    pages.redirect(ctx, `${HOME}#scope-${encodeURIComponent(scope)}`, { text: 'scopes.saved', values: { scope } });
  }

  async function showForm(
    ctx: Context,
    replaced: string | undefined,
    fields: ScopeFields,
    returned?: { refusal: AppError; place: number; revision: string | null; opened: ScopeFields | undefined },
  ): Promise<void> {
    const texts = pages.texts(ctx);
    const { t } = texts;
    const { refusal } = returned ?? {};
    if (refusal) ctx.status = refusal.status;
    const path = replaced === undefined ? 'new' : `edit?${new URLSearchParams({ scope: replaced }).toString()}`;
    const labels = Object.fromEntries(FIELDS.map((field) => [field, t(`scopes.field_${field}`)]));
    const { scopes, revision } = await present();
    const isConflict = refusal?.code === 'changed_meanwhile';
    const entry = isConflict ? scopes.find((one) => one.scope === replaced) : undefined;
    const stored = entry && fieldsOf(entry);
    const versions = stored && { opened: returned?.opened ?? stored, yours: fields, stored };
    const factsOf = (values: ScopeFields) => FIELDS.map((name) => ({ label: labels[name] ?? '', value: values[name] }));
    await pages.show(ctx, 'scopes/form', {
      title: replaced === undefined ? t('scopes.new') : t('scopes.edit_title', { scope: replaced }),
      section: 'scopes',
      here: `${HOME}/${path}`,
      locals: {
        fields: versions ? mergeValues(versions) : fields,
        opened: JSON.stringify(stored ?? returned?.opened ?? fields),
        conflict: isConflict ? (versions ? conflictRows(versions, factsOf) : []) : undefined,
        action: `${HOME}/${path}`,
        revision: isConflict ? revision : (returned?.revision ?? revision),
        groups: [...new Set(scopes.flatMap(({ group }) => group ?? []))],
        refused: returned && !isConflict && entryErrors(texts, returned.refusal, returned.place, labels),
        force: refusal?.code === 'scopes_in_use',
        held: heldIn(texts, refusal),
      },
    });
  }

  async function saveJson(ctx: Context): Promise<void> {
    const form = formOf(ctx);
    const text = form.get('json') ?? '';
    try {
      const { scopes } = readFields(input, jsonOf(text));
      await replace(ctx, scopes, { force: form.get('force') === 'true', revision: form.get('revision') });
      pages.redirect(ctx, HOME, { text: 'scopes.replaced', values: { count: scopes.length } });
    } catch (error) {
      await showJson(ctx, text, { refusal: decidable(error), revision: form.get('revision') });
    }
  }

  async function showJson(
    ctx: Context,
    text: string,
    returned?: { refusal: AppError; revision: string | null },
  ): Promise<void> {
    const texts = pages.texts(ctx);
    const { refusal } = returned ?? {};
    if (refusal) ctx.status = refusal.status;
    const isConflict = refusal?.code === 'changed_meanwhile';
    const { scopes, revision } = await present();
    const problems = refusal?.code === 'invalid_input' ? (refusal.errors ?? []) : [];
    const sentence = refusal && texts.pageProblemText(refusal.problem);
    await pages.show(ctx, 'scopes/json', {
      title: texts.t('scopes.json_title'),
      section: 'scopes',
      here: `${HOME}/json`,
      locals: {
        text,
        revision: isConflict ? revision : (returned?.revision ?? revision),
        stored: isConflict ? textOf(scopes) : undefined,
        file: config.scopesFile !== undefined,
        refused: refusal && {
          sentence: problems.length > 0 ? '' : sentence,
          fields: problems.map(({ path, problem }) => ({
            field: 'json',
            label: path || 'JSON',
            problem: texts.pageProblemText(problem),
          })),
        },
        force: refusal?.code === 'scopes_in_use',
        held: heldIn(texts, refusal),
      },
    });
  }
}

function decidable(error: unknown): AppError {
  if (error instanceof AppError && DECIDABLE.has(error.code)) return error;
  throw error;
}

function textOf(scopes: readonly ProductScope[]): string {
  return JSON.stringify({ scopes }, null, 2);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new AppError('invalid_input', 'not_json', { errors: [{ path: '', problem: { key: 'not_json' } }] });
  }
}

type PageTexts = ReturnType<Pages['texts']>;

/** Who holds what would be gone, a sentence for each name. */
function heldIn({ pageProblemText }: PageTexts, refusal: AppError | undefined): string[] {
  return refusal?.code === 'scopes_in_use' ? (refusal.errors ?? []).map(({ problem }) => pageProblemText(problem)) : [];
}

/** The problems of the entry at this place by the fields of its form. */
function entryErrors(texts: PageTexts, refusal: AppError, place: number, labels: Record<string, string>): FormErrors {
  const own = `scopes.${place}.`;
  const errors = (refusal.errors ?? []).flatMap(({ path, problem }) =>
    path.startsWith(own) ? [{ path: path.slice(own.length).replace(/^description\.?/, '') || 'en', problem }] : [],
  );
  return formErrors(texts, new AppError(refusal.code, refusal.problem, { errors }), labels);
}
