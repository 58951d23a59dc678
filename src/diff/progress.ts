/** What a build told of itself (Control/Status), folded into what it means: steps, whether they were cached, what they printed, warnings. */
import { decodeMessage, type Decoded } from '../bridge/index.js';
import type { RecordedCall } from './recorded.js';

export interface Step {
  readonly name: string;
  readonly cached: boolean;
  readonly error: string;
  /** By stream: 1 stdout, 2 stderr. */
  readonly output: ReadonlyMap<number, string>;
  readonly warnings: readonly string[];
}

/** So much of what a step printed is kept, of each stream. */
const MAX_OUTPUT = 1024 * 1024;

interface Draft {
  name: string;
  cached: boolean;
  error: string;
  readonly output: Map<number, string>;
  readonly warnings: string[];
}

type Fields = Readonly<Record<string, Decoded>>;

/** Steps in the order in which they were first told of. */
export function readProgress({ path, messages }: Pick<RecordedCall, 'path' | 'messages'>): readonly Step[] {
  const steps = new Map<string, Draft>();
  const step = (digest: string): Draft => {
    const known = steps.get(digest) ?? { name: '', cached: false, error: '', output: new Map<number, string>(), warnings: [] };
    steps.set(digest, known);
    return known;
  };
  for (const { kind, data } of messages) {
    if (kind !== 'server-message' || data === undefined) continue;
    const said = decodeMessage(path, 'server', data, { maxText: MAX_OUTPUT, maxValues: 1_000_000 });
    for (const vertex of list(said, 'vertexes')) {
      const known = step(text(vertex, 'digest'));
      known.name = text(vertex, 'name') || known.name;
      known.cached ||= vertex['cached'] === true;
      known.error = text(vertex, 'error') || known.error;
    }
    for (const log of list(said, 'logs')) {
      const { output } = step(text(log, 'vertex'));
      const stream = Number(log['stream'] ?? 0);
      const before = output.get(stream) ?? '';
      if (before.length < MAX_OUTPUT) output.set(stream, before + text(log, 'msg'));
    }
    for (const warning of list(said, 'warnings')) step(text(warning, 'vertex')).warnings.push(text(warning, 'short'));
  }
  return [...steps.values()].filter(({ name, output, warnings }) => name !== '' || output.size > 0 || warnings.length > 0);
}

function list(value: Decoded, name: string): readonly Fields[] {
  const items = isFields(value) ? value[name] : undefined;
  return Array.isArray(items) ? items.filter(isFields) : [];
}

const isFields = (value: Decoded): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Of bytes that are no text: their base64. */
function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  if (value === undefined || value === null || !isFields(value)) return '';
  return typeof value['text'] === 'string' ? value['text'] : typeof value['base64'] === 'string' ? value['base64'] : '';
}
