/** Quantities as people read them. */

export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${grouped(count)} ${count === 1 ? noun : many}`;
}

/** `12,345` */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

function scaled(bytes: number): { readonly digits: string; readonly unit: string } {
  let value = bytes;
  let unit = 0;
  // 1023.5 would round up to four digits.
  while (value >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return { digits: unit > 0 && value < 9.95 ? value.toFixed(1) : String(Math.round(value)), unit: UNITS[unit] ?? 'B' };
}

/** A number of bytes in four characters and a unit: `312 B`, `4.1 KiB`, `17 MiB`. */
export function size(bytes: number): string {
  const { digits, unit } = scaled(bytes);
  return `${digits} ${unit}`;
}

/** The same where every column counts: `312B`, `4.1K`, `17M`. */
export function shortSize(bytes: number): string {
  const { digits, unit } = scaled(bytes);
  return `${digits}${unit.charAt(0)}`;
}

/** A duration given in ns: `0.4 ms`, `12 ms`, `3.21 s`, `2m05s`, `1h02m`. */
export function duration(ns: bigint): string {
  const ms = Number(ns) / 1e6;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_995) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h${two(Math.floor((seconds % 3600) / 60))}m`;
}

/** A point in time in seconds, with so many decimals, rounded down: what came first never looks later. */
export function seconds(ns: bigint, decimals: number): string {
  const sign = ns < 0n ? '-' : '';
  const steps = (ns < 0n ? -ns : ns) / 10n ** BigInt(9 - decimals);
  const digits = steps.toString().padStart(decimals + 1, '0');
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** `2026-01-02 03:04:05 UTC` */
export function instant(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'at an unknown time' : `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
