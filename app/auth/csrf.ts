import type { Context, Middleware } from '../context.ts';
import { sameHash } from '../domain/token.ts';
import type { ProblemKey } from '../domain/problem.ts';
import { AppError } from '../errors.ts';
import { BODY_LIMIT, PERSONS_FORM_LIMIT, readForm } from '../http/body.ts';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Refuses requests that another site made a browser send; API clients send no origin and have no cookies to abuse. */
export function requireSameOrigin(publicUrl: string): Middleware {
  const { host } = new URL(publicUrl);
  return (ctx, next) => {
    if (!SAFE.has(ctx.method) && !isSameOrigin(ctx, host)) throw refused('form_from_another_site');
    return next();
  };
}

/**
 * Reads the form, and refuses one without its session's CSRF token, in the hidden field or in the header that htmx
 * sends. Without a session there is nothing to abuse.
 */
export const requireCsrfToken: Middleware = async (ctx, next) => {
  if (!SAFE.has(ctx.method)) {
    const { session } = ctx.state;
    const form = await readForm(ctx, session ? PERSONS_FORM_LIMIT : BODY_LIMIT);
    const token = form.get('_csrf') ?? ctx.get('X-CSRF-Token');
    if (session && !sameHash(Buffer.from(token), Buffer.from(session.csrfToken))) {
      throw refused('form_of_another_session');
    }
    form.delete('_csrf');
    ctx.state.form = form;
  }
  await next();
};

/** The fields of the submitted form; without the guard that reads them it throws. */
export function formOf(ctx: Context): URLSearchParams {
  const { form } = ctx.state;
  if (!form) throw new Error('a form was read that nobody has checked');
  return form;
}

/** Whether the request comes from a page of this origin, by `Sec-Fetch-Site` or else by `Origin`. */
function isSameOrigin(ctx: Context, publicHost: string): boolean {
  const site = ctx.get('Sec-Fetch-Site');
  if (site !== '') return site === 'same-origin' || site === 'none';
  const origin = ctx.get('Origin');
  return origin === '' || (URL.canParse(origin) && [ctx.host, publicHost].includes(new URL(origin).host));
}

function refused(problem: ProblemKey): AppError {
  return new AppError('form_refused', problem);
}
