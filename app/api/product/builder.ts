import Router from '@koa/router';
import { z } from 'zod';
import { problem } from '../../domain/problem.ts';
import { findDraft, listDrafts } from '../../../db/tables/product/builderDrafts.ts';
import { findDraftVersion } from '../../../db/tables/product/builderDraftVersions.ts';
import { saveDraft } from '../../actions/product/saveDraft.ts';
import { principalOf, type State } from '../../context.ts';
import { Json } from '../../domain/json.ts';
import { Name } from '../../domain/text.ts';
import { AppError } from '../../errors.ts';
import { answerMade } from '../answerMade.ts';
import { DraftListAnswer, DraftVersionAnswer, presentDraft, presentDraftVersion } from '../answers/draft.ts';
import type { Services } from '../../services.ts';
import { scope } from '../../http/access.ts';
import { answers } from '../../http/answers.ts';
import { makes } from '../../http/idempotency.ts';
import { body, query } from '../../http/input.ts';
import { PAGE, readPage } from '../../http/paging.ts';
import { pathId } from '../../http/pathId.ts';
import { ROUTER } from '../../http/router.ts';

const NewDraft = z.strictObject({ name: Name, content: Json.default({}) });
const DraftQuery = z.strictObject(PAGE);
const VersionNumber = z
  .string()
  .regex(/^[1-9]\d{0,8}$/, problem('must_be_version'))
  .transform(Number)
  .meta({ type: 'integer', minimum: 1 });
const VersionQuery = z.strictObject({ version: VersionNumber.optional() });

/** Drafts that the builder saves, every version of them. */
export function builderRoutes({ db }: Pick<Services, 'db'>): Router<State> {
  return new Router<State>(ROUTER)
    .post(
      '/builder/draft',
      scope('builder:write'),
      makes(db),
      answers(201, DraftVersionAnswer, 'Saves a draft; under a name that is known, as its next version.'),
      body(NewDraft, async (ctx, input) =>
        answerMade(
          ctx,
          db,
          async (act) => saveDraft(act, input),
          ({ draft, saved }) => ({
            path: `/builder/drafts/${draft.id}?version=${saved.version}`,
            body: presentDraftVersion(draft, saved),
          }),
        ),
      ),
    )
    .get(
      '/builder/drafts',
      scope('builder:read'),
      answers(200, DraftListAnswer, 'Lists the drafts, the newest name first.'),
      query(DraftQuery, async (ctx, asked) => {
        const tenantId = principalOf(ctx).tenant.id;
        const { rows, nextCursor } = await readPage(asked, ['drafts', tenantId], async (page) =>
          listDrafts(db, tenantId, page),
        );
        ctx.body = { data: rows.map(presentDraft), nextCursor };
      }),
    )
    .get(
      '/builder/drafts/:id',
      scope('builder:read'),
      answers(200, DraftVersionAnswer, 'Shows a draft in its newest version, or in the one that is asked for.'),
      query(VersionQuery, async (ctx, { version }) => {
        const tenantId = principalOf(ctx).tenant.id;
        const draft = await findDraft(db, tenantId, pathId(ctx));
        const saved = draft && (await findDraftVersion(db, tenantId, draft.id, version ?? draft.version));
        if (!saved) throw new AppError('not_found', 'no_such_draft');
        ctx.body = presentDraftVersion(draft, saved);
      }),
    );
}
