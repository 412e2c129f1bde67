import type { Context } from '../../context.ts';
import type { AppError } from '../../errors.ts';
import { renderPage } from './views.ts';
import { openFrame } from './frame.ts';
import type { Reader } from '../../http/reader.ts';
import { textsIn } from '../../locales/texts.ts';

/** The page that says what happened, whether anything was changed, what to do next, and how to ask us about it. */
export function errorPage(ctx: Context, problem: AppError, reader: Reader): string {
  const words = textsIn(reader.locale);
  const named = `errors.${problem.code}`;
  const retryAfter = Number(problem.headers['Retry-After'] ?? 0);
  const title = words.has(named) ? words.t(named) : words.t(`errors.status_${statusClass(problem)}`);
  return renderPage('shell/error', {
    ...words,
    frame: { ...openFrame(ctx, reader, title), here: '' },
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

function statusClass({ status }: AppError): '4xx' | '5xx' {
  return status >= 500 ? '5xx' : '4xx';
}

/** A refused request changed nothing; after a fault during a change it is not known how much was changed. */
function changeNotice({ method }: Context, { status }: AppError): string {
  const reads = method === 'GET' || method === 'HEAD';
  if (status < 500) return reads ? 'errors.read_only' : 'errors.unchanged';
  return reads ? 'errors.read_only' : 'errors.unknown_change';
}
