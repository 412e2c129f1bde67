import { setPriority } from 'node:os';

// Keeps the second core busy with work that gives way to all other work. Two cores of a rented machine are often halves of
// one: without it, a server would run faster the less its load generator has to do, up to half as fast again.
const CHUNK_MS = 2;
let busy = false;

setPriority(19);
process.on('message', (order: { busy: boolean }) => {
  const wasBusy = busy;
  busy = order.busy;
  if (busy && !wasBusy) work();
  process.send?.({});
});
process.on('disconnect', () => process.exit());

function work(): void {
  for (const until = performance.now() + CHUNK_MS; performance.now() < until;);
  if (busy) setImmediate(work);
}
