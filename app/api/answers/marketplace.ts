import { z } from 'zod';
import type { IssuedKey } from '../../actions/keys/storedKey.ts';
import { APP_IDS, APPS, type App } from '../../domain/apps.ts';
import { IssuedKeyAnswer, presentMadeKey } from './key.ts';

const AppId = z.enum(APP_IDS);

/** The apps that can be installed, and which of them are. */
export const MarketplaceAnswer = z.strictObject({
  data: z.array(
    z
      .strictObject({
        id: AppId,
        name: z.string(),
        description: z.string(),
        scopes: z.array(z.string()),
        installed: z.boolean(),
      })
      .meta({ id: 'App' }),
  ),
});

/** A newly installed app's token, at the one moment its text is shown. */
export const InstalledAppAnswer = IssuedKeyAnswer.extend({ app: AppId });

export const UninstalledAppAnswer = z.strictObject({ id: AppId, installed: z.literal(false) });

export function presentMarketplace(installed: ReadonlySet<string>): z.output<typeof MarketplaceAnswer> {
  return {
    data: APPS.map(({ id, name, description, scopes }) => ({
      id,
      name,
      description: description.en,
      scopes: [...scopes],
      installed: installed.has(id),
    })),
  };
}

export function presentInstalledApp({ id }: App, issued: IssuedKey, now: number) {
  const { body, secret } = presentMadeKey(issued, now);
  return { body: { ...body, app: id }, secret };
}

export function presentUninstalledApp({ id }: App): z.output<typeof UninstalledAppAnswer> {
  return { id, installed: false };
}
