import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config.ts';

export type Log = Logger;

/** Readable lines on a terminal, one JSON object a line elsewhere. */
export function createLog(level: Config['logLevel']): Log {
  const options = { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` };
  if (!process.stdout.isTTY) return pino(options, pino.destination({ sync: true }));
  return pino(options, pretty({ colorize: true, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname', sync: true }));
}
