/** A pb.Definition as a graph: its ops with their digests, and what is said about each. */
import { hash } from 'node:crypto';
import {
  mapField,
  messageField,
  numberField,
  isMessage,
  repeatedField,
  repeatedMessages,
  stringField,
  tryDecode,
  type Message,
} from './message.js';
import { WireFormatError } from './wire-format.js';

export interface GraphInput {
  readonly digest: string;
  readonly index: number;
}

export interface GraphOp {
  /** sha256 of the marshalled op, as BuildKit names it. */
  readonly digest: string;
  readonly bytes: Uint8Array;
  /** The decoded pb.Op, or why its bytes are none. */
  readonly op: Message | WireFormatError;
  readonly inputs: readonly GraphInput[];
}

export interface Graph {
  readonly ops: readonly GraphOp[];
  readonly byDigest: ReadonlyMap<string, GraphOp>;
  /** pb.OpMetadata by op digest. */
  readonly metadata: ReadonlyMap<string, Message>;
  /** pb.Source. */
  readonly source: Message | undefined;
}

/** Reads one marshalled op. */
export type OpReader = (bytes: Uint8Array) => GraphOp;

export const sha256 = (data: Uint8Array | string): string => `sha256:${hash('sha256', data, 'hex')}`;

export function readOp(bytes: Uint8Array, digest = sha256(bytes)): GraphOp {
  const op = tryDecode('pb.Op', bytes);
  const inputs =
    op instanceof WireFormatError
      ? []
      : repeatedMessages(op, 'inputs').map((input) => ({ digest: stringField(input, 'digest'), index: numberField(input, 'index') }));
  return { digest, bytes, op, inputs };
}

/** Reads a decoded pb.Definition. */
export function readGraph(definition: Message, read: OpReader = readOp): Graph {
  const ops = repeatedField(definition, 'def')
    .filter((bytes) => bytes instanceof Uint8Array)
    .map((bytes) => read(bytes));
  const metadata = new Map<string, Message>();
  for (const { key, value } of mapField(definition, 'metadata')) {
    if (typeof key === 'string' && isMessage(value)) metadata.set(key, value);
  }
  return { ops, byDigest: new Map(ops.map((op) => [op.digest, op])), metadata, source: messageField(definition, 'Source') };
}

/**
 * Ops from the leaves to the head, each once, inputs in their order: an order that depends on the graph alone.
 * The head is the last op of the definition; ops that it doesn't reach come after it, as they stand.
 */
export function postOrder({ ops, byDigest }: Graph): readonly GraphOp[] {
  const order: GraphOp[] = [];
  const seen = new Set<string>();
  const visit = (head: GraphOp): void => {
    if (seen.has(head.digest)) return;
    seen.add(head.digest);
    // A stack of its own: graphs can be deeper than JavaScript's.
    const path = [{ op: head, next: 0 }];
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const input = top.op.inputs[top.next];
      top.next += 1;
      if (!input) {
        order.push(top.op);
        path.pop();
        continue;
      }
      const op = byDigest.get(input.digest);
      if (op && !seen.has(op.digest)) {
        seen.add(op.digest);
        path.push({ op, next: 0 });
      }
    }
  };
  const head = ops.at(-1);
  if (head) visit(head);
  for (const op of ops) visit(op);
  return order;
}
