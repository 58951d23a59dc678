/**
 * The driver: plays the client's side of a cassette again, with grpc-js. Each client event goes out when the
 * server events before it in its build have come again; ids that the recorded client had made up are made anew.
 */
import * as grpc from '@grpc/grpc-js';
import { randomInt } from 'node:crypto';

import { buildIdOf, parseExec, rewriteIds, solveFacts, statusRef } from '../bridge/index.js';
import type { Cassette, HalfClose, HeaderEvent, HeaderField, MessageEvent, Reset } from '../cassette/index.js';

const BRIDGE = '/moby.buildkit.v1.frontend.LLBBridge/';
const SOLVE = '/moby.buildkit.v1.Control/Solve';
const STATUS = '/moby.buildkit.v1.Control/Status';
const EXEC_PROCESS = `${BRIDGE}ExecProcess`;

export interface DriveOptions {
  /** grpc-js's target: `unix:/path` or `host:port` */
  readonly target: string;
  /** 0: each message as soon as it may go; 1: as recorded. */
  readonly pace?: number;
  /** What a process printed, as it comes. */
  readonly onOutput?: (output: { readonly process: string; readonly fd: number; readonly data: Uint8Array }) => void;
}

export interface DriveReport {
  /** Calls that were driven, by their number in the cassette. */
  readonly calls: readonly number[];
  /** The recorded id → the one that was used instead. */
  readonly ids: ReadonlyMap<string, string>;
}

type CallEvent = HeaderEvent | MessageEvent | HalfClose | Reset;
type ClientEvent = (HeaderEvent & { readonly kind: 'client-header' }) | (MessageEvent & { readonly kind: 'client-message' }) | HalfClose | Reset;

interface DrivenCall {
  readonly id: number;
  readonly path: string;
  readonly headers: readonly HeaderField[];
  readonly events: CallEvent[];
}

/** `identity.NewID()` of BuildKit (identity/randomid.go): 25 characters of base 36. */
const ID = /[0-9a-z]{25}/;
const ID_ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/**
 * Drives every bridge call of a cassette, and the Solve and Status calls that carry their builds. Resolves when all
 * have ended; a status other than recorded is for whoever compares the recordings to find.
 */
export async function drive(cassette: Cassette, options: DriveOptions): Promise<DriveReport> {
  const calls = readCalls(cassette);
  const builds = new Map<string, DrivenCall[]>();
  for (const call of calls) {
    const build = buildOf(call) ?? '';
    builds.set(build, [...(builds.get(build) ?? []), call]);
  }
  const client = new grpc.Client(options.target, grpc.credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  const ids = new Map<string, string>();
  try {
    await Promise.all(Array.from(builds.values(), (members) => new BuildDriver(members, client, ids, options).run()));
  } finally {
    client.close();
  }
  return { calls: calls.map(({ id }) => id), ids };
}

function readCalls(cassette: Cassette): readonly DrivenCall[] {
  const calls = new Map<number, DrivenCall>();
  for (const event of cassette.events()) {
    if (!('call' in event) || event.kind === 'gap') continue;
    if (event.kind !== 'client-header') calls.get(event.call)?.events.push(event);
    else {
      const path = textOf(event.headers.find(({ name }) => name === ':path')?.value);
      if (path.startsWith(BRIDGE) || path === SOLVE || path === STATUS) calls.set(event.call, { id: event.call, path, headers: event.headers, events: [event] });
    }
  }
  return [...calls.values()];
}

function buildOf(call: DrivenCall): string | undefined {
  if (call.path.startsWith(BRIDGE)) return buildIdOf(call.headers);
  const request = call.events.find((event) => event.kind === 'client-message');
  return request?.kind === 'client-message' && request.data !== undefined ? (call.path === SOLVE ? solveFacts(request.data)?.ref : statusRef(request.data)) : undefined;
}

/** One build's calls, in the recorded order of what depends on what. */
class BuildDriver {
  private readonly events: readonly CallEvent[];
  private readonly live = new Map<number, LiveCall>();
  private readonly came = new Map<number, bigint>();
  private readonly calls: ReadonlyMap<number, DrivenCall>;
  private next = 0;
  private open = 0;
  private timer: NodeJS.Timeout | undefined;
  private finish: () => void = () => undefined;

  constructor(
    members: readonly DrivenCall[],
    private readonly client: grpc.Client,
    private readonly ids: Map<string, string>,
    private readonly options: DriveOptions,
  ) {
    this.calls = new Map(members.map((call) => [call.id, call]));
    this.events = members.flatMap(({ events }) => events).sort((a, b) => a.seq - b.seq);
    for (const call of members) this.inventIds(call);
  }

  run(): Promise<void> {
    return new Promise((resolve) => {
      this.finish = resolve;
      this.advance();
    });
  }

  /** Sends what may go: up to the first server event that has not come. */
  private advance(): void {
    if (this.timer !== undefined) return;
    let last: { readonly recorded: bigint; readonly live: bigint } | undefined;
    for (; this.next < this.events.length; this.next += 1) {
      const event = this.events[this.next];
      if (event === undefined) break;
      if (isFromClient(event)) {
        const wait = this.waitFor(event, last ?? this.lastBefore(this.next));
        if (wait > 0) {
          this.timer = setTimeout(() => {
            this.timer = undefined;
            this.advance();
          }, wait);
          return;
        }
        this.send(event);
      } else if (!this.isOver(event)) {
        const time = this.came.get(event.seq);
        if (time === undefined) return;
        last = { recorded: event.time, live: time };
      }
    }
    if (this.open === 0) this.finish();
  }

  /** A call that has ended sends nothing more: what it left out is for the comparison to find. */
  private isOver(event: CallEvent): boolean {
    return this.live.get(event.call)?.ended ?? false;
  }

  private lastBefore(index: number): { readonly recorded: bigint; readonly live: bigint } | undefined {
    for (let at = index - 1; at >= 0; at -= 1) {
      const event = this.events[at];
      const live = event && this.came.get(event.seq);
      if (event !== undefined && live !== undefined) return { recorded: event.time, live };
    }
    return undefined;
  }

  private waitFor(event: ClientEvent, last: { readonly recorded: bigint; readonly live: bigint } | undefined): number {
    const pace = this.options.pace ?? 0;
    if (pace === 0 || last === undefined) return 0;
    const elapsed = Number(process.hrtime.bigint() - last.live);
    return Math.max(0, Math.round((Number(event.time - last.recorded) * pace - elapsed) / 1e6));
  }

  private send(event: ClientEvent): void {
    const call = this.calls.get(event.call);
    if (call === undefined) return;
    switch (event.kind) {
      case 'client-header':
        this.open += 1;
        this.live.set(event.call, this.start(call));
        break;
      case 'client-message':
        if (event.data !== undefined) this.live.get(event.call)?.stream.write(Buffer.from(this.rename(event.data)));
        break;
      case 'client-half-close':
        this.live.get(event.call)?.stream.end();
        break;
      case 'reset':
        this.live.get(event.call)?.stream.cancel();
    }
    this.came.set(event.seq, process.hrtime.bigint());
  }

  private start(call: DrivenCall): LiveCall {
    const metadata = new grpc.Metadata();
    for (const { name, value } of call.headers) {
      if (!isOwnField(name)) metadata.add(name, name.endsWith('-bin') ? Buffer.from(textOf(value), 'base64') : textOf(this.rename(value)));
    }
    const stream = this.client.makeBidiStreamRequest<Buffer, Buffer>(call.path, same, same, metadata);
    const live = new LiveCall(stream, call);
    const came = (seqs: readonly number[]): void => {
      const now = process.hrtime.bigint();
      for (const seq of seqs) this.came.set(seq, now);
      this.advance();
    };
    stream.on('metadata', () => came(live.headersCame()));
    stream.on('data', (payload: Buffer) => {
      const output = call.path === EXEC_PROCESS ? parseExec(payload) : undefined;
      if (output?.input.kind === 'file') this.options.onOutput?.({ process: output.process, fd: output.input.fd, data: output.input.data });
      came(live.messageCame());
    });
    // The status is in the new recording too; that is where it is compared.
    stream.on('error', () => undefined);
    stream.on('status', () => {
      live.ended = true;
      this.open -= 1;
      this.advance();
    });
    return live;
  }

  private rename(bytes: Uint8Array): Uint8Array {
    return rewriteIds(bytes, this.ids);
  }

  /** New ids for what this call's client made up: the build, its containers and processes. */
  private inventIds(call: DrivenCall): void {
    const build = buildOf(call);
    if (build !== undefined) this.invent(build);
    for (const event of call.events) {
      if (event.kind !== 'client-message' || event.data === undefined || call.path !== EXEC_PROCESS) continue;
      const message = parseExec(event.data);
      if (message?.input.kind !== 'init') continue;
      this.invent(message.input.containerId);
      for (const part of message.process.split(':')) this.invent(part);
    }
  }

  private invent(id: string): void {
    if (!this.ids.has(id) && id.length === 25 && ID.test(id)) {
      this.ids.set(id, Array.from({ length: id.length }, () => ID_ALPHABET[randomInt(ID_ALPHABET.length)]).join(''));
    }
  }
}

/** A call as it goes now, and how much of its recorded server side has come. */
class LiveCall {
  ended = false;
  private readonly headers: readonly number[];
  private readonly messages: readonly number[];
  private received = 0;

  constructor(
    readonly stream: grpc.ClientDuplexStream<Buffer, Buffer>,
    call: DrivenCall,
  ) {
    this.headers = call.events.filter(({ kind }) => kind === 'server-header').map(({ seq }) => seq);
    this.messages = call.events.filter(({ kind }) => kind === 'server-message').map(({ seq }) => seq);
  }

  headersCame(): readonly number[] {
    return this.headers;
  }

  messageCame(): readonly number[] {
    const seq = this.messages[this.received];
    this.received += 1;
    return seq === undefined ? [] : [seq];
  }
}

function isFromClient(event: CallEvent): event is ClientEvent {
  return event.kind === 'client-header' || event.kind === 'client-message' || event.kind === 'client-half-close' || (event.kind === 'reset' && event.side === 'client');
}

/** Fields that HTTP/2 or grpc-js writes, and the deadline of a client that is long gone. */
function isOwnField(name: string): boolean {
  return name.startsWith(':') || ['content-type', 'te', 'user-agent', 'grpc-accept-encoding', 'grpc-encoding', 'grpc-timeout'].includes(name);
}

const same = (bytes: Buffer): Buffer => bytes;

function textOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('latin1');
}
