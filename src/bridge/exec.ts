/** ExecProcess: what the messages of its stream say, and the one thing about them that replay has to change. */
import { canonicalMessage } from './canonical.js';
import { BUILT_IN_RULES, type Rules } from './rules.js';
import {
  booleanField,
  bytesFieldOf,
  messageField,
  numberField,
  repeatedField,
  repeatedStrings,
  stringField,
  tryDecode,
  type Message,
} from './message.js';
import { bytesField, concat, fieldExtents, varintField, WireFormatError } from './wire-format.js';

const EXEC_MESSAGE = 'moby.buildkit.v1.frontend.ExecMessage';

/** What an ExecMessage says of its process. */
export type ExecInput =
  | {
      readonly kind: 'init';
      readonly containerId: string;
      readonly args: readonly string[];
      readonly env: readonly string[];
      readonly cwd: string;
      readonly user: string;
      readonly tty: boolean;
      /** The file descriptors that the client holds. */
      readonly fds: readonly number[];
      /** The whole request but its container and process ids: equal for the same process, as canonicalRequest has it. */
      readonly canonical: string;
    }
  | { readonly kind: 'file'; readonly fd: number; readonly eof: boolean; readonly data: Uint8Array }
  | { readonly kind: 'resize'; readonly rows: number; readonly cols: number }
  | { readonly kind: 'signal'; readonly name: string }
  | { readonly kind: 'started' }
  | { readonly kind: 'exit'; readonly code: number; readonly error?: { readonly code: number; readonly message: string } }
  | { readonly kind: 'done' }
  /** An input newer than proto/: its field number; 0 for none at all. */
  | { readonly kind: 'unknown'; readonly field: number };

export interface ExecStep {
  /** The ProcessID. */
  readonly process: string;
  readonly input: ExecInput;
}

function init(message: Message, payload: Uint8Array, rules: Rules): ExecInput {
  const meta = messageField(message, 'Meta');
  const containerId = stringField(message, 'ContainerID');
  const canonical = canonicalMessage(EXEC_MESSAGE, payload, new Map(containerId === '' ? [] : [[containerId, '⟨container⟩']]), rules);
  return {
    kind: 'init',
    containerId,
    args: meta ? repeatedStrings(meta, 'args') : [],
    env: meta ? repeatedStrings(meta, 'env') : [],
    cwd: meta ? stringField(meta, 'cwd') : '',
    user: meta ? stringField(meta, 'user') : '',
    tty: booleanField(message, 'Tty'),
    fds: repeatedField(message, 'Fds').filter((fd) => typeof fd === 'number'),
    canonical: canonical.text,
  };
}

function exit(message: Message): ExecInput {
  const error = messageField(message, 'Error');
  return {
    kind: 'exit',
    code: numberField(message, 'Code'),
    ...(error && { error: { code: numberField(error, 'code'), message: stringField(error, 'message') } }),
  };
}

function inputOf(message: Message, payload: Uint8Array, rules: Rules): ExecInput {
  for (const name of ['Init', 'File', 'Resize', 'Started', 'Exit', 'Done', 'Signal'] as const) {
    const input = messageField(message, name);
    if (!input) continue;
    switch (name) {
      case 'Init':
        return init(input, payload, rules);
      case 'File':
        return { kind: 'file', fd: numberField(input, 'Fd'), eof: booleanField(input, 'EOF'), data: bytesFieldOf(input, 'Data') };
      case 'Resize':
        return { kind: 'resize', rows: numberField(input, 'Rows'), cols: numberField(input, 'Cols') };
      case 'Started':
        return { kind: 'started' };
      case 'Exit':
        return exit(input);
      case 'Done':
        return { kind: 'done' };
      case 'Signal':
        return { kind: 'signal', name: stringField(input, 'Name') };
    }
  }
  return { kind: 'unknown', field: message.unknown[0]?.number ?? 0 };
}

/**
 * Reads an ExecMessage; undefined when the bytes are none.
 *
 * @param payload of either side: the two share one message type
 */
export function parseExec(payload: Uint8Array, rules = BUILT_IN_RULES): ExecStep | undefined {
  const message = tryDecode(EXEC_MESSAGE, payload);
  if (message instanceof WireFormatError) return undefined;
  return { process: stringField(message, 'ProcessID'), input: inputOf(message, payload, rules) };
}

/**
 * The same ExecMessage with another ProcessID; every other byte stays as it was.
 *
 * @returns the payload itself when it is no protobuf message
 */
export function withProcessId(payload: Uint8Array, processId: string): Uint8Array {
  const id = bytesField(1, Buffer.from(processId));
  const parts: Uint8Array[] = [];
  let placed = false;
  let kept = 0;
  try {
    for (const { field, start, end } of fieldExtents(payload)) {
      if (field.number !== 1 || field.wire !== 'bytes') continue;
      parts.push(payload.subarray(kept, start));
      if (!placed) parts.push(id);
      placed = true;
      kept = end;
    }
  } catch (error) {
    if (error instanceof WireFormatError) return payload;
    throw error;
  }
  parts.push(payload.subarray(kept));
  return concat(placed ? parts : [id, payload]);
}

/**
 * The ExecMessages with which a process ends by an error: its Exit and its Done (frontend/gateway/pb/gateway.proto).
 *
 * @param code the exit code
 * @param error the gRPC status that the Exit carries
 */
export function failedProcess(processId: string, code: number, error: { readonly code: number; readonly message: string }): readonly Uint8Array[] {
  const id = bytesField(1, Buffer.from(processId));
  const status = concat([varintField(1, error.code), bytesField(2, Buffer.from(error.message))]);
  const exit = concat([varintField(1, code), bytesField(2, status)]);
  return [concat([id, bytesField(6, exit)]), concat([id, bytesField(7, new Uint8Array())])];
}
