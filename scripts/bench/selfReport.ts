import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/** What a server under test tells of itself: exactly, and of all its threads, which the system tells in hundredths of a second. */
export interface Report {
  cpuSeconds: number;
  rssMb: number;
  /** How late the thread that serves requests was, since it was last asked to watch itself; NaN where it was not. */
  stallP99Ms: number;
  stallMaxMs: number;
}

/** What the bench asks; `watch` says whether stalls are looked for from now on, which is no work for a busy thread. */
export interface Question {
  watch: boolean;
}

const RESOLUTION_MS = 1;
const MB = 1024 * 1024;

// Loaded before the server's own code, so that the product has no part of its own for the bench.
if (isMainThread) answerQuestions();

function answerQuestions(): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let watched = false;
  process.on('message', ({ watch }: Question) => {
    const { user, system } = process.cpuUsage();
    const stall = (nanoseconds: number) => (watched ? Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS) : NaN);
    const report: Report = {
      cpuSeconds: (user + system) / 1e6,
      rssMb: process.memoryUsage.rss() / MB,
      stallP99Ms: stall(delay.percentile(99)),
      stallMaxMs: stall(delay.max),
    };
    process.send?.(report);
    delay.reset();
    if (watch !== watched) delay[watch ? 'enable' : 'disable']();
    watched = watch;
  });
}
