import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from './child.ts';

/** Resolves once the child takes connections on this port; rejects with the reason when it ends before that. */
export async function untilListening(child: Child, port: number, reason: string): Promise<void> {
  let endings = 0;
  const note = () => (endings += 1);
  void child.ended.then(note, note);
  for (;;) {
    if (endings > 0) throw new Error(`${reason}:\n${child.stderr}`);
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
