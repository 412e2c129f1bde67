import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './child.ts';
import { Client } from './http.ts';

const READY_WITHIN_MS = 15_000;

/** A client that reaches the server through a real Caddy as it comes, which writes X-Forwarded-For. */
export class Caddy extends Client {
  readonly stop: () => Promise<void>;

  private constructor(url: string, stop: () => Promise<void>) {
    super(url);
    this.stop = stop;
  }

  /** Starts one in front of the server of this URL; `stop()` ends it. */
  static async inFrontOf(upstream: string): Promise<Caddy> {
    const folder = await mkdtemp(join(process.env.TEST_FOLDER ?? tmpdir(), 'latchkey-caddy-'));
    const port = await freePort();
    const config = `{
  admin off
  auto_https off
  storage file_system ${folder}/data
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy ${new URL(upstream).host}
}
`;
    await writeFile(join(folder, 'Caddyfile'), config);
    const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
    const args = ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'];
    const caddy = spawn('caddy', args, { stdio: 'ignore', env });
    const kill = () => caddy.kill('SIGKILL');
    process.once('exit', kill);
    await once(caddy, 'spawn').catch(() => {
      throw new Error('No Caddy to test with: install caddy (Debian: apt-get install caddy).');
    });
    const ended = once(caddy, 'exit');
    const proxy = new Caddy(`http://127.0.0.1:${port}`, async () => {
      proxy.close();
      caddy.kill('SIGTERM');
      await ended;
      process.off('exit', kill);
      await rm(folder, { recursive: true, force: true });
    });
    await untilAnswering(proxy);
    return proxy;
  }
}

async function untilAnswering(proxy: Client): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const status = await proxy.get('/api/health/live').then(
      (answer) => answer.status,
      () => undefined,
    );
    if (status === 200) return;
    if (Date.now() > deadline) throw new Error('Caddy did not answer in time');
    await delay(50);
  }
}
