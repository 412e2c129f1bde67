import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from '../../app/root.ts';
import { Child, freePort } from './child.ts';
import { Client } from './http.ts';
import { untilListening } from './listening.ts';
import { startNginxWith } from './nginx.ts';

export const PROXY_DOCUMENTS = path.join(ROOT, 'docs/proxies');

/** What stands behind the proxy, each as a host and a port. */
export interface Behind {
  latchkey: string;
  product: string;
}

/** Starts a real nginx as docs/proxies/nginx.conf has it, with other addresses; it ends with `endChildren`. */
export async function startDocumentedNginx(behind: Behind): Promise<Client> {
  const port = await freePort();
  const text = await readDocument('nginx.conf', behind);
  await startNginxWith(replaceOnce(text, 'listen 80;', `listen 127.0.0.1:${port};`), port);
  return new Client(`http://127.0.0.1:${port}`);
}

/** Starts a real Caddy as docs/proxies/Caddyfile has it, with other addresses; it ends with `endChildren`. */
export async function startDocumentedCaddy(behind: Behind): Promise<Client> {
  const port = await freePort();
  const folder = await mkdtemp(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'latchkey-caddy-'));
  const site = replaceOnce(await readDocument('Caddyfile', behind), 'http://:80 {', `http://:${port} {`);
  const options = `{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n\tstorage file_system ${folder}/data\n}\n`;
  const file = path.join(folder, 'Caddyfile');
  await writeFile(file, options + site);
  const child = new Child('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], { HOME: folder });
  await untilListening(child, port, 'No Caddy to test with (Debian: apt-get install caddy)');
  return new Client(`http://127.0.0.1:${port}`);
}

async function readDocument(name: string, { latchkey, product }: Behind): Promise<string> {
  const text = await readFile(path.join(PROXY_DOCUMENTS, name), 'utf8');
  return replaceOnce(replaceOnce(text, '127.0.0.1:5000', latchkey), '127.0.0.1:8080', product);
}

/** Fails where the text is missing or stands more than once, since then something else would be tested. */
function replaceOnce(text: string, from: string, to: string): string {
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`"${from}" is there ${parts.length - 1} times`);
  return parts.join(to);
}
