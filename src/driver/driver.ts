/**
 * The driver: plays the client's side of a cassette again, with grpc-js. Each client event goes out when the
 * server events before it in its build have come again. Ids that the recorded client had made up are made anew, and
 * ids that this server makes up are put where the recorded ones were.
 */
import * as grpc from '@grpc/grpc-js';

import { BRIDGE, buildIdOf, EXEC_PROCESS, headerText, parseExec, rewriteIds, SESSION, SOLVE, solveFacts, STATUS, statusRef } from '../bridge/index.js';
import type { Cassette, HeaderField } from '../cassette/index.js';
import { idsOf, isId, newId, pairIds } from './ids.js';
import { Progress, type CallEvent } from './progress.js';
import { offered, ServedSession } from './session.js';

export interface DriveOptions {
  /** grpc-js's target: `unix:/path` or `host:port` */
  readonly target: string;
  /** 0: each message as soon as it may go; 1: as recorded. */
  readonly pace?: number;
  /** Cancels every call and closes the connection. */
  readonly signal?: AbortSignal | undefined;
  /** What a process printed, as it comes. */
  readonly onOutput?: (output: { readonly process: string; readonly fd: number; readonly data: Uint8Array }) => void;
}

export interface DriveReport {
  /** Calls that were driven, by their number in the cassette. */
  readonly calls: readonly number[];
  /** The recorded id → the one that took its place, whoever made it. */
  readonly ids: ReadonlyMap<string, string>;
}

interface DrivenCall {
  readonly id: number;
  readonly path: string;
  readonly headers: readonly HeaderField[];
  readonly events: CallEvent[];
}

/**
 * Drives every bridge call of a cassette, and the Solve and Status calls that carry their builds, while its sessions are
 * open and idle. Resolves when all have ended; a status other than recorded is for whoever compares the recordings to find.
 *
 * @throws the reason of `signal`, when that was aborted before all had ended
 */
export async function drive(cassette: Cassette, options: DriveOptions): Promise<DriveReport> {
  const { signal } = options;
  signal?.throwIfAborted();
  const recorded = readCalls(cassette);
  const calls = recorded.filter(({ path }) => path !== SESSION);
  const builds = new Map<string, DrivenCall[]>();
  for (const call of calls) {
    const build = buildOf(call) ?? '';
    builds.set(build, [...(builds.get(build) ?? []), call]);
  }
  const client = new grpc.Client(options.target, grpc.credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  const ids = new Ids(saidByClient(calls));
  const sessions = recorded.filter(({ path }) => path === SESSION).map(({ headers }) => openSession(headers, client, ids));
  const drivers = Array.from(builds.values(), (members) => new BuildDriver(members, client, ids, options));
  const abort = (): void => [...sessions, ...drivers].forEach((one) => one.cancel());
  signal?.addEventListener('abort', abort);
  try {
    await Promise.all(drivers.map((driver) => driver.run()));
    for (const session of sessions) session.end();
    await Promise.all(sessions.map(({ over }) => over));
    signal?.throwIfAborted();
  } finally {
    signal?.removeEventListener('abort', abort);
    client.close();
  }
  return { calls: calls.map(({ id }) => id), ids: ids.live };
}

function readCalls(cassette: Cassette): readonly DrivenCall[] {
  const calls = new Map<number, DrivenCall>();
  for (const event of cassette.events()) {
    if (!('call' in event) || event.kind === 'gap') continue;
    if (event.kind !== 'client-header') {
      calls.get(event.call)?.events.push(event);
      continue;
    }
    const path = headerText(event.headers, ':path') ?? '';
    if (path.startsWith(BRIDGE) || path === SOLVE || path === STATUS || path === SESSION) calls.set(event.call, { id: event.call, path, headers: event.headers, events: [event] });
  }
  return [...calls.values()];
}

/** Under its recorded id: that stands in definitions too, whose digests hold it fast. */
function openSession(headers: readonly HeaderField[], client: grpc.Client, ids: Ids): ServedSession {
  return new ServedSession(client.makeBidiStreamRequest<Buffer, Buffer>(SESSION, same, same, metadataOf(offered(headers), ids)));
}

/** What the recorded client sent, with the ids of now. */
function metadataOf(headers: readonly HeaderField[], ids: Ids): grpc.Metadata {
  const metadata = new grpc.Metadata();
  for (const { name, value } of headers) {
    if (!isOwnField(name)) metadata.add(name, name.endsWith('-bin') ? Buffer.from(textOf(value), 'base64') : textOf(rewriteIds(value, ids.live)));
  }
  return metadata;
}

function buildOf(call: DrivenCall): string | undefined {
  if (call.path.startsWith(BRIDGE)) return buildIdOf(call.headers);
  const request = call.events.find(({ kind }) => kind === 'client-message');
  if (request === undefined || !('data' in request) || request.data === undefined) return undefined;
  return call.path === SOLVE ? solveFacts(request.data)?.ref : statusRef(request.data);
}

/**
 * The ids that the recorded client had before any answer told it of them: its sessions, and what it made of them. They
 * stand in definitions, which their digests hold fast, so whatever a server answers, they stay.
 */
function saidByClient(calls: readonly DrivenCall[]): ReadonlySet<string> {
  const own = new Set<string>();
  const told = new Set<string>();
  for (const [path, event] of calls.flatMap(({ path: of, events }) => events.map((each) => [of, each] as const)).toSorted(([, a], [, b]) => a.seq - b.seq)) {
    if (path === EXEC_PROCESS) continue;
    const [into, except] = isFromClient(event) ? [own, told] : [told, own];
    for (const id of idsOf(saidIn(event) ?? NOTHING)) if (!except.has(id)) into.add(id);
  }
  return own;
}

const NOTHING = new Uint8Array();
const DETAILS = 'grpc-status-details-bin';

/** A message, or the details of an error. */
function saidIn(event: CallEvent | undefined): Uint8Array | undefined {
  if (event?.kind === 'client-message' || event?.kind === 'server-message') return event.data;
  const details = event?.kind === 'server-trailer' ? headerText(event.headers, DETAILS) : undefined;
  return details === undefined ? undefined : Buffer.from(details, 'base64');
}

/** The ids that took the place of recorded ones. */
class Ids {
  /** Recorded → live. */
  readonly live = new Map<string, string>();
  /** Live → recorded. */
  readonly recorded = new Map<string, string>();

  constructor(private readonly own: ReadonlySet<string>) {}

  /** A server has answered with an id where the recorded one had another. */
  answered(recorded: string, live: string): void {
    if (!this.own.has(recorded)) this.bind(recorded, live);
  }

  private bind(recorded: string, live: string): void {
    this.live.set(recorded, live);
    this.recorded.set(live, recorded);
  }

  invent(recorded: string): void {
    if (!this.live.has(recorded) && isId(recorded)) this.bind(recorded, newId());
  }
}

interface Anchor {
  /** ns since the recording began */
  readonly recorded: bigint;
  /** monotonic ns */
  readonly live: bigint;
}

/** One build's calls, in the recorded order of what depends on what. */
class BuildDriver {
  private readonly events: readonly CallEvent[];
  private readonly calls: ReadonlyMap<number, DrivenCall>;
  private readonly live = new Map<number, { readonly stream: grpc.ClientDuplexStream<Buffer, Buffer>; ended: boolean }>();
  private readonly came = new Map<number, bigint>();
  private next = 0;
  private open = 0;
  /** The last server event that the next client event comes after. */
  private anchor: Anchor | undefined;
  private timer: NodeJS.Timeout | undefined;
  private finish: () => void = () => undefined;

  constructor(
    members: readonly DrivenCall[],
    private readonly client: grpc.Client,
    private readonly ids: Ids,
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

  /** Cancels what is open, and begins nothing more. */
  cancel(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.next = this.events.length;
    for (const { stream } of this.live.values()) stream.cancel();
    this.advance();
  }

  /** Sends what may go: up to the first server event that has not come. */
  private advance(): void {
    if (this.timer !== undefined) return;
    for (; this.next < this.events.length; this.next += 1) {
      const event = this.events[this.next];
      if (event === undefined) break;
      if (isFromClient(event)) {
        const wait = this.waitFor(event);
        if (wait > 0) {
          this.timer = setTimeout(() => {
            this.timer = undefined;
            this.advance();
          }, wait);
          return;
        }
        this.send(event);
      } else if (this.isAwaited(event)) {
        const time = this.came.get(event.seq);
        if (time === undefined) return;
        this.anchor = { recorded: event.time, live: time };
      }
    }
    if (this.open === 0) this.finish();
  }

  /**
   * Progress tells a client nothing that its build waits for, and daemons cut it up differently each time. A call
   * that has ended sends nothing more: what it left out is for the comparison to find.
   */
  private isAwaited(event: CallEvent): boolean {
    return this.calls.get(event.call)?.path !== STATUS && this.live.get(event.call)?.ended !== true;
  }

  /** ms until a client event is due: as long after what came before as it was recorded. */
  private waitFor(event: CallEvent): number {
    const pace = this.options.pace ?? 0;
    if (pace === 0 || this.anchor === undefined) return 0;
    const elapsed = Number(process.hrtime.bigint() - this.anchor.live);
    return Math.max(0, Math.round((Number(event.time - this.anchor.recorded) * pace - elapsed) / 1e6));
  }

  private send(event: CallEvent): void {
    const call = this.calls.get(event.call);
    const stream = this.live.get(event.call)?.stream;
    switch (event.kind) {
      case 'client-header':
        if (call !== undefined) this.start(call);
        break;
      case 'client-message':
        if (event.data !== undefined) stream?.write(Buffer.from(rewriteIds(event.data, this.ids.live)));
        break;
      case 'client-half-close':
        stream?.end();
        break;
      case 'reset':
        stream?.cancel();
        break;
      case 'server-header':
      case 'server-message':
      case 'server-trailer':
        break;
    }
  }

  private start(call: DrivenCall): void {
    const stream = this.client.makeBidiStreamRequest<Buffer, Buffer>(call.path, same, same, metadataOf(call.headers, this.ids));
    const live = { stream, ended: false };
    const isExec = call.path === EXEC_PROCESS;
    const progress = new Progress(call.events, isExec);
    this.open += 1;
    this.live.set(call.id, live);
    const came = (seqs: readonly number[]): void => {
      const now = process.hrtime.bigint();
      for (const seq of seqs) if (!this.came.has(seq)) this.came.set(seq, now);
      this.advance();
    };
    stream.on('metadata', () => came(progress.headersCame()));
    stream.on('data', (payload: Buffer) => {
      const output = isExec ? parseExec(payload) : undefined;
      if (output?.input.kind === 'file') this.options.onOutput?.({ process: output.process, fd: output.input.fd, data: output.input.data });
      const seqs = progress.messageCame(rewriteIds(payload, this.ids.recorded));
      const recorded = progress.recordedMessage();
      if (!isExec && call.path.startsWith(BRIDGE) && recorded !== undefined) {
        for (const [before, now] of pairIds(recorded, payload)) this.ids.answered(before, now);
      }
      came(seqs);
    });
    // The status is in the new recording too; that is where it is compared.
    stream.on('error', () => undefined);
    stream.on('status', ({ metadata }) => {
      this.pairDetails(call, metadata);
      live.ended = true;
      this.open -= 1;
      this.advance();
    });
  }

  /** What an error says of results has ids as well, which a frontend gives back when it fails by that. */
  private pairDetails(call: DrivenCall, metadata: grpc.Metadata): void {
    const [live] = metadata.get(DETAILS);
    const recorded = saidIn(call.events.find(({ kind }) => kind === 'server-trailer'));
    if (!(live instanceof Uint8Array) || recorded === undefined) return;
    for (const [before, now] of pairIds(recorded, live)) this.ids.answered(before, now);
  }

  /** New ids for what this call's client made up: the build, its containers and processes. */
  private inventIds(call: DrivenCall): void {
    const build = buildOf(call);
    if (build !== undefined) this.ids.invent(build);
    if (call.path !== EXEC_PROCESS) return;
    for (const event of call.events) {
      const message = event.kind === 'client-message' && event.data !== undefined ? parseExec(event.data) : undefined;
      if (message?.input.kind !== 'init') continue;
      this.ids.invent(message.input.containerId);
      for (const part of message.process.split(':')) this.ids.invent(part);
    }
  }
}

function isFromClient(event: CallEvent): boolean {
  return event.kind === 'client-header' || event.kind === 'client-message' || event.kind === 'client-half-close' || (event.kind === 'reset' && event.side === 'client');
}

/** Fields that HTTP/2 or grpc-js writes, and the deadline of a client that is long gone. */
function isOwnField(name: string): boolean {
  return name.startsWith(':') || ['content-type', 'te', 'user-agent', 'grpc-accept-encoding', 'grpc-encoding', 'grpc-timeout'].includes(name);
}

const same = (bytes: Buffer): Buffer => bytes;

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
