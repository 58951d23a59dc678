/**
 * Which message bodies a recording keeps. Everything is kept but what is bulky or secret and never needed to
 * replay a build: of those calls the headers, times, counts and sizes stay.
 */
import { BridgetapeError } from '../errors.js';

/** Methods whose bodies are left out unless asked for, as patterns over `/package.Service/Method`. */
export const BODIES_LEFT_OUT: readonly string[] = [
  // The session tunnel: build contexts of hundreds of MB, registry credentials, secrets.
  '/moby.buildkit.v1.Control/Session',
  // Blobs of images.
  '/containerd.services.content.v1.Content/*',
  // Traces: long, and of no use to a replay.
  '/opentelemetry.proto.collector.trace.v1.TraceService/*',
];

export interface BodyPolicy {
  /** The patterns in force, as they are stated in the cassette; a leading `!` keeps what an earlier one left out. */
  readonly patterns: readonly string[];
  readonly keeps: (path: string) => boolean;
}

/**
 * @param keep patterns of methods whose bodies are kept; they win over the others
 * @param leaveOut patterns of methods whose bodies are left out, besides {@link BODIES_LEFT_OUT}
 * @throws BridgetapeError `bad-argument` for a pattern that is no `/package.Service/Method`
 */
export function bodyPolicy(keep: readonly string[] = [], leaveOut: readonly string[] = []): BodyPolicy {
  const kept = keep.map((pattern) => compile(pattern, '--bodies'));
  const out = [...BODIES_LEFT_OUT, ...leaveOut].map((pattern) => compile(pattern, '--no-bodies'));
  const known = new Map<string, boolean>();
  return {
    patterns: [...BODIES_LEFT_OUT, ...leaveOut, ...keep.map((pattern) => `!${pattern}`)],
    keeps: (path) => {
      let answer = known.get(path);
      if (answer === undefined) {
        answer = kept.some((pattern) => pattern.test(path)) || !out.some((pattern) => pattern.test(path));
        // Paths come from the wire: remember only as many as any real service list has.
        if (known.size < 1000) known.set(path, answer);
      }
      return answer;
    },
  };
}

function compile(pattern: string, flag: string): RegExp {
  if (!/^(\/[^/\s]+\/[^/\s]+|\/?[^/\s]*\*[^/\s]*)$/.test(pattern)) {
    throw new BridgetapeError(
      'bad-argument',
      `${flag} got "${pattern}", which is no method pattern.`,
      'Write it as /package.Service/Method; * stands for any run of characters.',
    );
  }
  const source = pattern
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${source}$`);
}
