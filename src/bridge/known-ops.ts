/** Ops that came before: most of a graph comes again with each step that is built on it. */
import { Memo } from '../passing.js';
import type { CanonicalOp } from './canonical-form.js';
import { readOp, sha256, type GraphOp } from './graph.js';

/** Longer ops are not remembered: most of such a one is a file that comes once. */
const LONGEST = 16 * 1024;
/** Bytes of ops that are remembered. */
const MAX_BYTES = 256 * 1024;

/** Ops that were read and brought to their canonical form, so that one that comes again costs little: for messages under one set of rules and options. */
export class KnownOps {
  private readonly inputs = new Memo<string, GraphOp['inputs']>(MAX_BYTES);
  private readonly forms = new Memo<string, CanonicalOp>(MAX_BYTES);

  readonly op = (bytes: Uint8Array): GraphOp => new KnownOp(bytes, this.inputs);

  /** @param make brings it to its form */
  form({ bytes, digest }: GraphOp, edges: string, depth: number, make: () => CanonicalOp): CanonicalOp {
    return remembered(this.forms, `${depth} ${digest} ${edges}`, bytes, make);
  }
}

/** Decoded when somebody looks at more than its inputs, which is not often when its form is known. */
class KnownOp implements GraphOp {
  readonly digest: string;
  readonly inputs: GraphOp['inputs'];
  private read: GraphOp | undefined;

  constructor(
    readonly bytes: Uint8Array,
    known: Memo<string, GraphOp['inputs']>,
  ) {
    this.digest = sha256(bytes);
    this.inputs = remembered(known, this.digest, bytes, () => this.whole.inputs);
  }

  get op(): GraphOp['op'] {
    return this.whole.op;
  }

  private get whole(): GraphOp {
    this.read ??= readOp(this.bytes, this.digest);
    return this.read;
  }
}

function remembered<T>(known: Memo<string, T>, key: string, { length }: Uint8Array, make: () => T): T {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  if (length <= LONGEST) known.set(key, made, length);
  return made;
}
