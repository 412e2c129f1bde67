import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * The URL of this run's server as a further node of a cluster would be: with the same tables, another name, and a lock of
 * its own for migrating. It is a proxy that writes the node's number into the names of both.
 */
export async function startClusterNode(
  databaseUrl: string,
  number: number,
): Promise<{ url: string; stop: () => void }> {
  const { hostname, port } = new URL(databaseUrl);
  const digits = String(number).padStart(2, '0');
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        server.destroy();
        sockets.delete(socket);
      });
    }
    server.pipe(client);
    // As long as what they stand for, since the length of a statement has been sent before it.
    client.on('data', (sent) => {
      const renamed = sent
        .toString('latin1')
        .replaceAll('latchkey migrate', `latchkey node-${digits}`)
        .replaceAll('@@hostname', `'node--${digits}'`);
      server.write(renamed, 'latin1');
    });
  });
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((proxy.address() as AddressInfo).port);
  const stop = () => {
    proxy.close();
    for (const socket of sockets) socket.destroy();
  };
  return { url: url.href, stop };
}
