import { normaliseNetwork } from '../domain/network.ts';

/** What an address counts as: a network of IPv6 is handed out whole, so 2^64 addresses are one caller. */
export function callerOf(address: string): string {
  return address.includes(':') ? (normaliseNetwork(`${address}/64`) ?? address) : address;
}
