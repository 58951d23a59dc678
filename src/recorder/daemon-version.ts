/** BuildKit says its version in a few answers: Control/Info, and the worker records of ListWorkers and Ping. */
import { decodeMessage } from '../bridge/index.js';
import type { Piece } from '../wire/index.js';

/** Where in the decoded answer the version stands (api/services/control/control.proto, api/types/worker.proto). */
const PLACES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  '/moby.buildkit.v1.Control/Info': [['buildkitVersion', 'version']],
  '/moby.buildkit.v1.Control/ListWorkers': [['record', '0', 'BuildkitVersion', 'version']],
  '/moby.buildkit.v1.frontend.LLBBridge/Ping': [['Workers', '0', 'BuildkitVersion', 'version']],
};

/** @returns the version as BuildKit writes it, such as `v0.32.2`; undefined when this answer names none */
export function daemonVersion(path: string, data: readonly Piece[]): string | undefined {
  const places = PLACES[path];
  if (places === undefined) return undefined;
  const decoded = decodeMessage(path, 'server', Buffer.concat(data.map(({ bytes, from, to }) => bytes.subarray(from, to))));
  for (const place of places) {
    const value = place.reduce<unknown>(child, decoded);
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

function child(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}
