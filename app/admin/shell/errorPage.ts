import type { Context } from '../../context.ts';
import type { AppError } from '../../errors.ts';
import { renderPage } from './views.ts';
import { openFrame, sectionOfPath, shellFrame, type Frame } from './frame.ts';
import { organisationPath } from '../../http/organisationPath.ts';
import { isPartial } from '../../http/redirect.ts';
import type { Reader } from '../../http/reader.ts';
import { textsIn, type Texts } from '../../locales/texts.ts';

/** The page that says what happened, whether anything was changed, what to do next, and how to ask us about it. */
export function errorPage(ctx: Context, problem: AppError, reader: Reader): string {
  const words = textsIn(reader.locale);
  const named = `errors.${problem.code}`;
  const retryAfter = Number(problem.headers['Retry-After'] ?? 0);
  const title = words.has(named) ? words.t(named) : words.t(`errors.status_${statusClass(problem)}`);
  const frame = openFrame(ctx, reader, title);
  const org = ctx.state.principal && organisationPath(ctx);
  const shell = shellOf(ctx, { ...frame, here: ctx.method === 'GET' ? frame.here : (org ?? '/') }, words);
  return renderPage(shell ? 'shell/errorInShell' : 'shell/error', {
    ...words,
    org,
    frame: shell ?? { ...frame, here: '' },
    status: problem.status,
    detail: words.pageProblemText(problem.problem),
    changed: words.t(changeNotice(ctx, problem)),
    next:
      retryAfter > 0
        ? words.t('errors.retry_after', { seconds: retryAfter })
        : words.t(words.has(`${named}_next`) ? `${named}_next` : `errors.next_${statusClass(problem)}`),
    requestId: ctx.state.requestId,
  });
}

/** The frame with the navigation where somebody is signed in and sees a whole page; htmx shows the words alone. */
function shellOf(ctx: Context, frame: Frame, texts: Texts) {
  const { principal, session, pageRoutes } = ctx.state;
  if (principal?.type !== 'user' || !session || !pageRoutes || isPartial(ctx)) return undefined;
  const section = sectionOfPath(principal.tenant, ctx.path);
  return shellFrame(ctx, frame, section, { pages: pageRoutes, texts });
}

function statusClass({ status }: AppError): '4xx' | '5xx' {
  return status >= 500 ? '5xx' : '4xx';
}

/** A refused request changed nothing; after a fault during a change it is not known how much was changed. */
function changeNotice({ method }: Context, { status }: AppError): string {
  const reads = method === 'GET' || method === 'HEAD';
  if (status < 500) return reads ? 'errors.read_only' : 'errors.unchanged';
  return reads ? 'errors.read_only' : 'errors.unknown_change';
}
