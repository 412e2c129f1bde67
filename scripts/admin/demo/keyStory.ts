import { installApp } from '../../../app/actions/product/installApp.ts';
import { issueKey } from '../../../app/actions/keys/issueKey.ts';
import { revokeKey } from '../../../app/actions/keys/revokeKey.ts';
import { rotateKey } from '../../../app/actions/keys/rotateKey.ts';
import { uninstallApp } from '../../../app/actions/product/uninstallApp.ts';
import { updateKey } from '../../../app/actions/keys/updateKey.ts';
import { findApp, type App } from '../../../app/domain/apps.ts';
import { NewKey } from '../../../app/domain/keyInput.ts';
import { HARBOR } from './harbor.ts';
import { HARBOR_LATER } from './harborLater.ts';
import type { Line } from './line.ts';
import { LUMEN, PICO } from './others.ts';
import type { Chain, StoryEvent, World } from './world.ts';

export const LINES: readonly Line[] = [...HARBOR, ...HARBOR_LATER, ...LUMEN, ...PICO];

/** The life of every key: made, changed, rotated, revoked. */
export function keyStory(world: World): StoryEvent[] {
  return LINES.flatMap((line) => lifeOf(world, line));
}

function lifeOf(world: World, line: Line): StoryEvent[] {
  const { tenant, daysAgo, changes = [], rotations = [], revoked } = line;
  let chain: Chain | undefined;
  const theChain = (): Chain => {
    if (!chain) throw new Error(`${line.key.name} is not there yet`);
    return chain;
  };
  const newest = () => theChain().ids.at(-1) ?? '';
  const { keys: style } = world.services.config;
  return [
    { daysAgo, run: async (at) => (chain = await made(world, line, at)) },
    ...changes.map(({ daysAgo, by, change }) => ({
      daysAgo,
      run: async (at: number) => updateKey(await world.act(by, tenant, at, 'api-keys:manage'), newest(), change),
    })),
    ...rotations.map(({ daysAgo, by, graceHours }) => ({
      daysAgo,
      run: async (at: number) => {
        const act = await world.act(by, tenant, at, 'api-keys:manage');
        const { key, text } = await rotateKey(act, style, newest(), { gracePeriodSeconds: graceHours * 3600 });
        theChain().ids.push(key.id);
        theChain().text = text;
      },
    })),
    ...(revoked
      ? [{ daysAgo: revoked.daysAgo, run: async (at: number) => ended(world, theChain(), revoked, at) }]
      : []),
  ];
}

async function made(world: World, line: Line, at: number): Promise<Chain> {
  const { tenant, by, key, lifeDays } = line;
  const { keys: style } = world.services.config;
  if (line.app) {
    return world.addChain(
      line,
      await installApp(await world.act(by, tenant, at, { scope: 'marketplace:install' }), style, appOf(line)),
    );
  }
  const wish = NewKey.parse({ ...key, ...(lifeDays !== undefined && { expiresInDays: lifeDays }) });
  return world.addChain(line, await issueKey(await world.act(by, tenant, at, 'api-keys:manage'), style, wish));
}

async function ended(
  world: World,
  { line, ids }: Chain,
  { by, reason }: NonNullable<Line['revoked']>,
  at: number,
): Promise<void> {
  if (line.app) {
    await uninstallApp(await world.act(by, line.tenant, at, { scope: 'marketplace:install' }), appOf(line));
  } else {
    await revokeKey(await world.act(by, line.tenant, at, 'api-keys:manage'), ids.at(-1) ?? '', { reason });
  }
}

function appOf({ app }: Line): App {
  const found = app && findApp(app);
  if (!found) throw new Error(`there is no app ${String(app)}`);
  return found;
}
