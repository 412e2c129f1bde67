import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Child, freePort } from './child.ts';

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** Starts a real nginx that shares requests out among these ports over kept connections; it ends with `endChildren`. */
export async function startNginx(ports: readonly number[]): Promise<{ port: number; child: Child }> {
  const folder = await mkdtemp(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'latchkey-nginx-'));
  const port = await freePort();
  await writeFile(path.join(folder, 'nginx.conf'), configuration(ports, port, folder));
  const args = ['-p', folder, '-e', 'stderr', '-c', path.join(folder, 'nginx.conf')];
  const child = new Child('nginx', args, { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin` });
  await answers(port, child);
  return { port, child };
}

function configuration(ports: readonly number[], port: number, folder: string): string {
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
${process.getuid?.() === 0 ? 'user root;' : ''}
events {}
http {
  access_log off;
  ${TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
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
  }
}
`;
}

async function answers(port: number, child: Child): Promise<void> {
  let endings = 0;
  const note = () => (endings += 1);
  void child.ended.then(note, note);
  for (;;) {
    if (endings > 0) throw new Error(`No nginx to test with (Debian: apt-get install nginx-light):\n${child.stderr}`);
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await delay(20);
    } finally {
      socket.destroy();
    }
  }
}
