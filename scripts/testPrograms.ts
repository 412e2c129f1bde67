import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Chromium, wherever it is; first the one without a window of its own, which opens a page in a third of the time. */
export const CHROMIUMS = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'].map(
  (name) => `/usr/bin/${name}`,
);

/** The programs that the tests need beside the database, and the packages that have them. */
const NEEDED = [
  {
    programs: CHROMIUMS,
    packages: ['chromium-headless-shell', 'fonts-dejavu-core'],
  },
  { programs: ['/usr/bin/redis-server', '/usr/local/bin/redis-server'], packages: ['redis-server'] },
  { programs: ['/usr/bin/caddy', '/usr/local/bin/caddy'], packages: ['caddy'] },
  { programs: ['/usr/sbin/nginx', '/usr/local/sbin/nginx'], packages: ['nginx-light'] },
  // What docs/clients has for other languages runs as it stands.
  { programs: ['/usr/bin/python3', '/usr/local/bin/python3'], packages: ['python3'] },
  { programs: ['/usr/bin/go', '/usr/local/bin/go', '/usr/local/go/bin/go'], packages: ['golang-go'] },
  // The line that a new key's page shows is run as it stands.
  { programs: ['/usr/bin/curl', '/usr/local/bin/curl'], packages: ['curl'] },
];

/**
 * Installs missing programs on Debian as root; elsewhere the tests that need one fail with a line that says what to
 * install.
 */
export async function installMissingPrograms(): Promise<void> {
  const missing = NEEDED.filter(({ programs }) => !programs.some((program) => existsSync(program)));
  const packages = missing.flatMap((needed) => needed.packages);
  if (packages.length === 0 || process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return;
  console.error(`Installing ${packages.join(' and ')} for the tests.`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await run('apt-get', ['update'], { env });
    await run('apt-get', ['install', '-y', '--no-install-recommends', ...packages], { env });
  } catch {
    console.error('They could not be installed; the tests that need them will fail and say so.');
  }
}
