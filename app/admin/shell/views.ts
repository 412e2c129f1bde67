import path from 'node:path';
import koaViews from 'koa-views';
import nunjucks from 'nunjucks';
import { assets } from '../../http/assets.ts';
import type { Middleware } from '../../context.ts';
import { newId } from '../../domain/id.ts';
import { ROOT } from '../../root.ts';

const FOLDER = path.join(ROOT, 'views');

/** Reads the templates without the indentation of their lines, which no page needs to carry. */
class TemplateLoader extends nunjucks.FileSystemLoader {
  override getSource(name: string): nunjucks.LoaderSource {
    const source = super.getSource(name);
    return { ...source, src: source.src.replace(/^[ \t]+/gm, '') };
  }
}

/** One environment for the process: templates are compiled once, everything is escaped, and a tag leaves no empty line. */
const environment = new nunjucks.Environment(new TemplateLoader(FOLDER), {
  autoescape: true,
  throwOnUndefined: false,
  trimBlocks: true,
});

// An unknown name throws, so that no page is served without its styles.
environment.addGlobal('asset', (name: string) => assets().address(name));
environment.addGlobal('modulesOfApp', () => assets().modulesOfApp());
environment.addGlobal('newFormId', () => newId());
environment.addGlobal('each', each);

// The nunjucks implementation of `include` makes V8 keep what each page rendered until the next full collection.
Object.assign(environment, { waterfall: runSteps });

type Done = (error: unknown, result?: unknown) => void;
type Step = (...given: [unknown, Done] | [Done]) => void;

/** Runs the steps in order, each with the result of the one before; no step waits for anything. */
function runSteps(steps: readonly Step[], done: Done, at = 0, given?: unknown): void {
  const step = steps[at];
  const next: Done = (error, result) => {
    if (error) done(error);
    else runSteps(steps, done, at + 1, result);
  };
  if (!step) done(null, given);
  else if (at === 0) step(next);
  else step(given, next);
}

const rendered = new Map<string, WeakMap<object, string>>();

/**
 * Renders a view for each item, which the view sees as `one` and nothing else. An item is rendered once, since a page
 * of fifty rows shows the same few scopes again and again.
 */
function each(view: string, items: readonly object[]): nunjucks.runtime.SafeString {
  let known = rendered.get(view);
  if (!known) rendered.set(view, (known = new WeakMap()));
  let text = '';
  for (const one of items) {
    let own = known.get(one);
    if (own === undefined) known.set(one, (own = environment.render(view, { one }).trimEnd()));
    text += own;
  }
  return new nunjucks.runtime.SafeString(text);
}

/** Renders a page outside a route, for the one place that has no route: an error. */
export function renderPage(page: string, locals: Record<string, unknown>): string {
  return environment.render(`${page}.njk`, locals);
}

/** Gives each request its own `ctx.render`; the shared form of koa-views mixes up concurrent requests. */
export function views(): Middleware {
  return koaViews(FOLDER, {
    extension: 'njk',
    map: { njk: 'nunjucks' },
    engineSource: {
      // As bytes: of a text Koa would measure the length first, and the compression make bytes once more.
      nunjucks: async (file: string, locals: Record<string, unknown>) =>
        Buffer.from(environment.render(path.relative(FOLDER, file), locals)),
    },
  }) as Middleware;
}
