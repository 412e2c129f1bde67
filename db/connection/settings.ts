/** How many of a process's connections to a server are kept for lookups. */
export const LOOKUP_CONNECTIONS = 4;

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
