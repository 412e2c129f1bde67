import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Child, freePort } from './child.ts';
import { untilListening } from './listening.ts';

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** Starts a real nginx that shares requests out among these ports over kept connections; it ends with `endChildren`. */
export async function startNginx(ports: readonly number[]): Promise<{ port: number; child: Child }> {
  const port = await freePort();
  const child = await startNginxWith(sharingOut(ports, port), port);
  return { port, child };
}

/** Starts a real nginx with these lines in its http block, which listen on this port; it ends with `endChildren`. */
export async function startNginxWith(httpBlock: string, port: number): Promise<Child> {
  const folder = await mkdtemp(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'latchkey-nginx-'));
  await writeFile(path.join(folder, 'nginx.conf'), configuration(httpBlock, folder));
  const args = ['-p', folder, '-e', 'stderr', '-c', path.join(folder, 'nginx.conf')];
  const child = new Child('nginx', args, { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin` });
  await untilListening(child, port, 'No nginx to test with (Debian: apt-get install nginx-light)');
  return child;
}

function configuration(httpBlock: string, folder: string): string {
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
${process.getuid?.() === 0 ? 'user root;' : ''}
events {}
http {
  access_log off;
  ${TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
${httpBlock}
}
`;
}

function sharingOut(ports: readonly number[], port: number): string {
  return `
  upstream latchkey {
    ${ports.map((each) => `server 127.0.0.1:${each} max_fails=0;`).join('\n    ')}
    keepalive 16;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://latchkey;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }`;
}
