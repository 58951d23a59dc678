/** What the events so far say about those that follow: which connection a call is on, and what its messages are. */
import { headerText, methodOf } from '../bridge/index.js';
import { HTTP_1, type CassetteEvent, type HeaderField, type Side } from '../cassette/index.js';

/** All that is needed of an event. */
export type Said = { readonly kind: CassetteEvent['kind']; readonly connection: number; readonly call?: number; readonly protocol?: string; readonly headers?: readonly HeaderField[] };

interface KnownCall {
  readonly connection: number;
  path: string | undefined;
}

export class Conversation {
  readonly #calls = new Map<number, KnownCall>();
  readonly #http1 = new Set<number>();

  /** To be told of every event, after that was written or read. */
  add({ kind, connection, call, protocol, headers }: Said): void {
    if (kind === 'connection-open' && protocol === HTTP_1) this.#http1.add(connection);
    if (call === undefined) return;
    const known = this.#calls.get(call) ?? { connection, path: undefined };
    this.#calls.set(call, known);
    if (kind === 'client-header') known.path ??= headerText(headers ?? [], ':path');
  }

  /** The connection of a call's first event. */
  connectionOf(call: number): number | undefined {
    return this.#calls.get(call)?.connection;
  }

  /** What a call's messages of a side are: of a type of proto/ or of an unknown one, or content of HTTP/1.1, which is none. */
  messageOf(call: number, side: Side): { readonly typeName: string | undefined } | undefined {
    const known = this.#calls.get(call);
    if (known !== undefined && this.#http1.has(known.connection)) return undefined;
    const method = known?.path === undefined ? undefined : methodOf(known.path);
    return { typeName: side === 'client' ? method?.requestType : method?.responseType };
  }
}
