import { hasAnyUser } from '../db/tables/people/users.ts';
import { setUp, type FirstPerson } from './actions/tenants/setUp.ts';
import { ConfigError, type Config } from './config.ts';
import { readFirstPerson } from './actions/people/firstPerson.ts';
import { setUpLink } from './auth/setUpLink.ts';
import { textsIn } from './locales/texts.ts';
import type { Services } from './services.ts';

/**
 * On a database without people: makes the owner that the environment names, or prints the link by which one sets
 * themselves up. Processes that start together make one owner between them.
 */
export async function firstStart({
  config,
  db,
  log,
  secret,
}: Pick<Services, 'config' | 'db' | 'log' | 'secret'>): Promise<void> {
  if (await hasAnyUser(db)) return;
  if (!config.owner) {
    log.info(`Nobody is set up yet. Open this link, which works once: ${setUpLink(config.publicUrl, secret)}`);
    // Only SQLite offers the demo, since a server's database is more than a trial; and the demo is of the sample product.
    if (config.database.kind === 'sqlite' && config.sampleProduct)
      log.info('To see a full example first, fill this database with one: npm run -s admin -- demo');
    return;
  }
  const person = readOwner(config.owner);
  const origin = { ip: null, userAgent: null, requestId: null };
  const made = await setUp({ db, now: Date.now(), origin }, person);
  if (made) log.info({ user: made.user.id, tenant: made.tenant.slug }, 'set up the first person and their tenant');
}

const VARIABLES = { email: 'OWNER_EMAIL', password: 'OWNER_PASSWORD', tenantName: 'TENANT_NAME' } as const;

/** The owner's name is the part of the email before the @ until they change it. */
function readOwner(owner: NonNullable<Config['owner']>): FirstPerson {
  const name = owner.email.split('@')[0]?.slice(0, 100) ?? '';
  const read = readFirstPerson({ ...owner, name });
  if ('person' in read) return read.person;
  for (const field of ['email', 'password', 'tenantName'] as const) {
    const problem = read.problems[field];
    if (!problem) continue;
    const text = textsIn('en').problemText(problem);
    throw new ConfigError(`${VARIABLES[field]} ${text.charAt(0).toLowerCase()}${text.slice(1)}`);
  }
  throw new ConfigError('OWNER_EMAIL has nothing before its @ that could be a name');
}
