// What the scenarios need of a gRPC client, whichever it is.
import type { Order, StreamMethod, UnaryMethod } from './echo.js';

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly deadlineMs?: number;
  readonly metadata?: readonly (readonly [name: string, value: string | Uint8Array])[];
}

/** Metadata by name: several values with a comma and a space between, binary ones in hex. */
export type Metadata = Readonly<Record<string, string>>;

/** How a call ended. */
export interface Outcome {
  readonly code: number;
  readonly text: string;
  readonly head: Metadata;
  readonly tail: Metadata;
  /** The values of the status details, all BytesValues. */
  readonly details: readonly Uint8Array[];
}

export interface UnaryOutcome extends Outcome {
  readonly message: Uint8Array | undefined;
}

/** A call with a stream on one side at least; its order has been sent. */
export interface Stream {
  /** Resolves when the transport takes more. */
  send(message: Uint8Array): Promise<void>;
  closeSend(): void;
  /** Resolves when the server's headers have come. */
  readonly headed: Promise<void>;
  /** The next message; undefined when the call has ended. */
  receive(): Promise<Uint8Array | undefined>;
  /** Never rejects. */
  readonly ended: Promise<Outcome>;
}

export interface Stack {
  unary(method: UnaryMethod, order: Order, options?: CallOptions): Promise<UnaryOutcome>;
  open(method: StreamMethod, order: Order, options?: CallOptions): Stream;
  close(): void;
}

/** What is shown of metadata: several values together, each as text or in hex. */
export const shownValues = (values: readonly (string | Uint8Array)[]): string => values.map((value) => (typeof value === 'string' ? value : Buffer.from(value).toString('hex'))).join(', ');
