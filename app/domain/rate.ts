/** So many requests in a window of so many seconds. */
export interface Rate {
  limit: number;
  windowSeconds: number;
}

/** Reads `600/60` as 600 requests in 60 seconds; undefined for anything else. */
export function readRate(text: string): Rate | undefined {
  const match = /^([1-9]\d{0,8})\/([1-9]\d{0,6})$/.exec(text);
  return match ? { limit: Number(match[1]), windowSeconds: Number(match[2]) } : undefined;
}
