import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A port in front of a server, which counts the connections made to it and can fall silent or be gone. */
export class Relay {
  connections = 0;
  readonly #target: URL;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #silent = false;
  #port = 0;

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((socket) => this.#pass(socket));
  }

  static async inFrontOf(url: string): Promise<Relay> {
    const relay = new Relay(new URL(url));
    await relay.open();
    return relay;
  }

  /** The host and port to connect to. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Listens, on the same port as before. */
  async open(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Ends all connections; new ones are refused. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#sockets.forEach((socket) => socket.destroy());
    await closed;
  }

  /** Ends all connections; new ones are taken, and what they send is never answered. */
  fallSilent(): void {
    this.#silent = true;
    this.#sockets.forEach((socket) => socket.destroy());
  }

  /** Passes everything on again. */
  speak(): void {
    this.#silent = false;
    this.#sockets.forEach((socket) => socket.destroy());
  }

  #pass(socket: Socket): void {
    this.connections++;
    this.#keep(socket);
    if (this.#silent) return;
    const target = connect(Number(this.#target.port), this.#target.hostname);
    this.#keep(target);
    socket.pipe(target).pipe(socket);
    socket.once('close', () => target.destroy());
    target.once('close', () => socket.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
  }
}
