import Router from '@koa/router';
import type { ApiKey } from '../../../db/tables/keys/apiKeys.ts';
import { actionContext } from '../../actions/actionContext.ts';
import { refuseKeyOfAnotherPerson } from '../../actions/keys/keyRules.ts';
import { rotateKey } from '../../actions/keys/rotateKey.ts';
import { versionOfKey } from '../../actions/keys/storedKey.ts';
import { updateKey } from '../../actions/keys/updateKey.ts';
import { principalOf, type Context, type State } from '../../context.ts';
import { KeyChange, Rotation } from '../../domain/keyInput.ts';
import { AppError } from '../../errors.ts';
import { formOf } from '../../auth/csrf.ts';
import {
  fieldsOfKey,
  formLocals,
  keyFieldsOf,
  keyFormProblems,
  keyInputOf,
  type KeyFields,
  type Problems,
} from './keyForm.ts';
import { keyConflict, openedKeyOf, type OpenedKey } from './keyConflict.ts';
import { findActiveKeyOfPath, showDialog, unlessEnded } from './keyPages.ts';
import { returnPath, keyListPath, keysPath } from './keyAddress.ts';
import { keyView } from './keyView.ts';
import { scopeChoices } from './keyScopes.ts';
import { revealKey } from './keyReveal.ts';
import { CONFLICT_STATUS, type ConflictRow } from '../shell/conflict.ts';
import { idempotentForm } from '../shell/idempotentForm.ts';
import { recoverable, readFields } from '../shell/formErrors.ts';
import { scopeUses } from './keyUse.ts';
import type { Pages } from '../shell/pages.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Texts } from '../../locales/texts.ts';
import type { Services } from '../../services.ts';
import { permission } from '../../http/access.ts';
import { pathOfUrl } from '../../http/ownPath.ts';
import { ROUTER } from '../../http/router.ts';
import type { Route } from '../../http/table.ts';

/** The pages that edit and rotate a key. */
export function keyChangePages(
  services: Pick<Services, 'db' | 'config' | 'usage' | 'lookup'>,
  pages: Pages,
  table: () => readonly Route[],
): Router<State> {
  const { db, config, lookup } = services;
  const place = { section: 'keys', home: '/api-keys' } as const;
  return new Router<State>(ROUTER)
    .get('/api-keys/:id/edit', permission('api-keys:manage'), async (ctx) => {
      const key = await findActiveKeyOfPath(ctx, services);
      await showForm(ctx, key, fieldsOfKey(key));
    })
    .post('/api-keys/:id/edit', permission('api-keys:manage'), async (ctx) => {
      const key = await findActiveKeyOfPath(ctx, services);
      const fields = keyFieldsOf(formOf(ctx));
      const texts = pages.texts(ctx);
      const opened = openedKeyOf(formOf(ctx));
      const unticked = formOf(ctx).get('untick')?.split(' ');
      if (unticked) {
        const scopes = fields.scopes.filter((scope) => !unticked.includes(scope));
        await showForm(ctx, key, { ...fields, scopes }, { opened });
        return;
      }
      const act = { ...actionContext(ctx, db), expectedVersions: opened && [opened.version] };
      try {
        const change = readFields(KeyChange, keyInputOf(fields, act.now));
        const { id, name } = await updateKey(act, key.id, change);
        pages.redirect(ctx, `${keysPath(ctx)}/${id}`, { text: 'keys.saved', values: { name } });
      } catch (error) {
        if (opened && error instanceof AppError && error.code === 'changed_meanwhile') {
          await showConflict(ctx, opened, fields);
          return;
        }
        // A form that comes back goes on from what it was opened with: what others changed meanwhile is told when it is sent.
        await showForm(ctx, key, fields, { problems: keyFormProblems(error, texts), opened });
      }
    })
    .post('/api-keys/:id/scopes/remove', permission('api-keys:manage'), async (ctx) => {
      const key = await findActiveKeyOfPath(ctx, services);
      const form = formOf(ctx);
      const removed = form.getAll('scope').flatMap((scopes) => scopes.split(' '));
      const scopes = key.scopes.filter((scope) => !removed.includes(scope));
      if (scopes.length === 0) throw new AppError('conflict', 'key_needs_a_scope');
      // The remaining scopes were granted before and need not be in the catalogue any more.
      const { id } = await updateKey(actionContext(ctx, db), key.id, { scopes });
      const count = key.scopes.length - scopes.length;
      // The page that the reader was on, with the period and the filter that were chosen there.
      const own = `${keysPath(ctx)}/${id}`;
      const from = pathOfUrl(ctx.get('Referer'));
      const back = from?.split('?')[0] === own ? from : (keyListPath(ctx, form.get('back')) ?? own);
      pages.redirect(ctx, back, { text: 'keys.scopes_removed', values: { count, name: key.name } });
    })
    .get('/api-keys/:id/rotate', permission('api-keys:manage'), async (ctx) => {
      const key = await findActiveKeyOfPath(ctx, services);
      if (key.successorKeyId !== null) {
        throw new AppError('already_rotated', 'already_rotated');
      }
      refuseKeyOfAnotherPerson(actionContext(ctx, db), key.userId);
      await showRotation(ctx, key, returnPath(ctx));
    })
    .post(
      '/api-keys/:id/rotate',
      permission('api-keys:manage'),
      idempotentForm(db, pages, place, async (ctx, act) => {
        const old = await findActiveKeyOfPath(ctx, services);
        const form = formOf(ctx);
        const back = keyListPath(ctx, form.get('back')) ?? keysPath(ctx);
        const rotated = await recoverable(async () => {
          const rotation = readFields(Rotation, { gracePeriodSeconds: Number(form.get('grace') ?? NaN) });
          return rotateKey(act, config.keys, old.id, rotation);
        });
        if ('refusal' in rotated) return showRotation(ctx, old, back, rotated.refusal);
        const { key, text } = rotated.done;
        const replaced = await unlessEnded(async () => findActiveKeyOfPath(ctx, services));
        const shown = { key, text, now: act.now, publicUrl: config.publicUrl, back };
        await revealKey(pages, ctx, replaced ? { ...shown, replaced } : shown);
      }),
    );

  async function showRotation(ctx: Context, key: ApiKey, back: string, refusal?: AppError): Promise<void> {
    const texts = pages.texts(ctx);
    if (refusal) ctx.status = 422;
    await showDialog(pages, ctx, '_rotate', {
      title: texts.t('keys.rotate_title'),
      here: `${keysPath(ctx)}/${key.id}/rotate`,
      locals: {
        key: keyView(key, texts, Date.now(), { manages: true, catalogue: await lookup.catalogue() }),
        back,
        graces: graceChoices(texts, principalOf(ctx).tenant.policy),
        refused: refusal && rotationRefusal(texts, refusal),
      },
    });
  }

  /** Shows the form again with what others have changed, and what the reader has changed on top of it. */
  async function showConflict(ctx: Context, opened: OpenedKey, yours: KeyFields): Promise<void> {
    const key = await findActiveKeyOfPath(ctx, services);
    const versions = { opened: opened.fields, yours, stored: fieldsOfKey(key) };
    const { rows, fields } = keyConflict(versions, pages.texts(ctx));
    await showForm(ctx, key, fields, { conflict: rows });
  }

  async function showForm(
    ctx: Context,
    key: ApiKey,
    fields: KeyFields,
    { problems, conflict, opened }: FormShown = {},
  ): Promise<void> {
    const texts = pages.texts(ctx);
    const principal = principalOf(ctx);
    const now = Date.now();
    const catalogue = await lookup.catalogue();
    const uses = await scopeUses(db, key, catalogue, now);
    const again = problems !== undefined || conflict !== undefined;
    if (again) ctx.status = conflict ? CONFLICT_STATUS : 422;
    await pages.show(ctx, 'keys/edit', {
      title: texts.t(again ? 'keys.edit_title_again' : 'keys.edit_title', { name: key.name }),
      section: 'keys',
      here: `${keysPath(ctx)}/${key.id}/edit`,
      locals: {
        ...formLocals(texts, principal.tenant.policy, fields, problems, key),
        key: keyView(key, texts, now, { manages: true }),
        conflict,
        opened: JSON.stringify(opened ?? { version: versionOfKey(key), fields: fieldsOfKey(key) }),
        groups: scopeChoices(principal, texts, catalogue, table(), {
          checked: fields.scopes,
          granted: key.scopes,
          uses,
        }),
        unused: uses.filter(({ scope, idle }) => idle && fields.scopes.includes(scope)).map(({ scope }) => scope),
      },
    });
  }
}

/** What is shown above the fields of a form that comes back. */
interface FormShown {
  problems?: Problems;
  /** What others have changed since the form was opened. */
  conflict?: ConflictRow[];
  /** The key as the form was first opened; by default as it is now. */
  opened?: OpenedKey | undefined;
}

/** Why the rotation was refused; if the expiry is the reason, the page offers to change it. */
function rotationRefusal({ pageProblemText }: Texts, { problem, errors = [] }: AppError) {
  const [field] = errors;
  const sentence = pageProblemText(field?.problem ?? problem);
  return { sentence: /[.!?]$/.test(sentence) ? sentence : `${sentence}.`, isExpiry: field?.path === 'expiresAt' };
}

const GRACES = [0, 3_600, 86_400, 604_800];
const USUAL = 86_400;

/** The grace periods that the policy allows; a day is preselected unless the policy allows less. */
export function graceChoices({ t }: Texts, { maxGraceSeconds }: Policy) {
  const allowed = GRACES.filter((seconds) => seconds <= maxGraceSeconds);
  const usual = allowed.includes(USUAL) ? USUAL : (allowed.at(-1) ?? 0);
  return {
    value: String(usual),
    options: allowed.map((seconds) => ({ value: String(seconds), label: t(`keys.grace_${seconds}`) })),
  };
}
