/** What a client was sent, each call by what it asked for: to the byte, in whatever order it made its calls. */
import { createHash, type Hash } from 'node:crypto';
import { BUILT_IN_RULES, canonicalRequest } from '../../../src/bridge/index.js';
import { Cassette, type CassetteEvent, type HeaderField } from '../../../src/cassette/index.js';

/** @returns a line a call, sorted */
export function observed(file: string): readonly string[] {
  using cassette = Cassette.open(file);
  return cassette.calls
    .map(({ id, path }) => {
      const events = cassette.call(id);
      return `${path} ${askedFor(path, events)}: ${answered(events)}`;
    })
    .toSorted();
}

/** Equal for requests that mean the same: BuildKit before v0.17 writes one graph in many ways. */
function askedFor(path: string, events: readonly CassetteEvent[]): string {
  const hash = createHash('sha256');
  for (const event of events) {
    if (event.kind === 'client-message') hash.update(event.data === undefined ? 'left out' : canonicalRequest(path, event.data, new Map(), BUILT_IN_RULES).text);
  }
  return hash.digest('base64url').slice(0, 12);
}

function answered(events: readonly CassetteEvent[]): string {
  const hash = createHash('sha256');
  let bytes = 0;
  for (const event of events) {
    if (event.kind === 'server-header' || event.kind === 'server-trailer') {
      hash.update(event.kind);
      addFields(hash, event.headers);
    } else if (event.kind === 'server-message') {
      bytes += event.size;
      hash.update(`${event.kind} ${event.size} `).update(event.data ?? 'left out');
    } else if (event.kind === 'reset' && event.side === 'server') {
      hash.update(`${event.kind} ${event.code}`);
    }
  }
  return `${bytes} bytes of messages, ${hash.digest('base64url').slice(0, 22)}`;
}

function addFields(hash: Hash, fields: readonly HeaderField[]): void {
  for (const { name, value } of fields) hash.update(`${name} ${value.length} `).update(value);
}
