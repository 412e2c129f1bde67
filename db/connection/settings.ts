/** How many of a process's connections to a server are kept for lookups, where it may have more than the fewest. */
const LOOKUP_CONNECTIONS = 4;
/** Background work keeps one for the lock that it has while it uses another. */
const FEWEST_OTHERS = 2;
const USAGE_CONNECTIONS = 1;

/** The fewest connections a process can do with. */
export const FEWEST_CONNECTIONS = 6;

/** How a process shares out its connections: for lookups, and for everything but the writing of uses of keys. */
export function connectionsFor({ connections }: MysqlConfig): { lookups: number; others: number } {
  const lookups = Math.min(LOOKUP_CONNECTIONS, connections - USAGE_CONNECTIONS - FEWEST_OTHERS);
  return { lookups, others: connections - lookups - USAGE_CONNECTIONS };
}

/** Which database to open, and how. */
export type DatabaseConfig = { kind: 'sqlite'; file: string } | MysqlConfig;

export interface MysqlConfig {
  kind: 'mysql';
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  /** How many connections the process may open, for lookups and everything else. */
  connections: number;
  tls: { ca: string | undefined; verifyChain: boolean; verifyName: boolean } | undefined;
}
