/**
 * Every bound of the serving half. A replayer is dialled by its own user's programs, over sockets that nobody else
 * should reach; still, whatever dials it must not take its memory or its time. What passes a bound is answered as
 * RFC 9113 has it, mostly with ENHANCE_YOUR_CALM.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

export interface ServeLimits {
  /** SETTINGS_MAX_CONCURRENT_STREAMS, as announced. */
  readonly concurrentStreams: number;
  /** SETTINGS_INITIAL_WINDOW_SIZE, as announced: bytes that a client may send on a stream ahead of our reading. */
  readonly streamWindowBytes: number;
  /** What a client may send on the whole connection ahead of our reading. */
  readonly connectionWindowBytes: number;
  /** SETTINGS_MAX_HEADER_LIST_SIZE, as announced: name + value + 32 for each field (RFC 9113 §10.5.1). */
  readonly headerListBytes: number;
  /** Fields of one header list. */
  readonly headerFields: number;
  /** Bytes of one header block, HEADERS with its CONTINUATIONs. */
  readonly headerBlockBytes: number;
  /** CONTINUATION frames of one header block. */
  readonly continuations: number;
  /** Payload of one gRPC message. */
  readonly messageBytes: number;
  /** Payload bytes of unfinished messages, all streams together. */
  readonly heldBytes: number;
  /** Bytes of one stream that wait to be sent, before its caller is told to wait. */
  readonly streamQueueBytes: number;
  /** Bytes of all streams that wait to be sent, before every caller is told to wait. */
  readonly connectionQueueBytes: number;
  /** Frames' bytes that wait to be pulled, before DATA and HEADERS wait in their streams. */
  readonly outputBytes: number;
  /** Answers to PING and SETTINGS, and RST_STREAMs, that wait to be pulled. */
  readonly queuedControlFrames: number;
  /** Streams that a client may open and reset before they were answered: at once, and per second after that. */
  readonly resets: { readonly burst: number; readonly perSecond: number };
  /** SETTINGS frames. */
  readonly settings: { readonly burst: number; readonly perSecond: number };
  /** Frames that do nothing: empty DATA, PRIORITY, unknown types. */
  readonly idleFrames: { readonly burst: number; readonly perSecond: number };
  /** Streams that are over and of which is still known how they ended: frames in flight to a stream that was reset are ignored. */
  readonly rememberedStreams: number;
}

export const DEFAULT_SERVE_LIMITS: ServeLimits = {
  // A build has some tens of streams, a load test thousands; an idle stream takes some 3 KB here.
  concurrentStreams: 16_384,
  // What is read is used at once, so a window costs nothing; this is two rounds of a socket's own buffer (208 KiB).
  streamWindowBytes: MiB,
  connectionWindowBytes: 16 * MiB,
  // What clients of BuildKit send is below 4 KiB; grpc's own servers allow 8 KiB (C) to 16 MiB (Go).
  headerListBytes: MiB,
  headerFields: 4096,
  // No encoder that has to keep to the list's bound has a use for more.
  headerBlockBytes: MiB,
  // A block of 1 MiB takes 64 frames of the usual size, and this leaves room for smaller ones.
  continuations: 1024,
  // BuildKit's clients and daemons send up to 16 MiB (containerd's defaults); room above, so that their own limits speak.
  messageBytes: 64 * MiB,
  heldBytes: 160 * MiB,
  // A Go client begins with a window of 64 KiB: more than it takes only lies in memory (bench: replay).
  streamQueueBytes: 32 * KiB,
  connectionQueueBytes: 16 * MiB,
  // A unix socket takes 208 KiB at once.
  outputBytes: 256 * KiB,
  // As many as Go's own server lets wait.
  queuedControlFrames: 10_000,
  // Cancelling every stream that may be open is no abuse.
  resets: { burst: 16_384, perSecond: 1000 },
  // One at the start, and one for each change of a window: some ten in a long life.
  settings: { burst: 1000, perSecond: 10 },
  idleFrames: { burst: 10_000, perSecond: 1000 },
  rememberedStreams: 1024,
};

/** SETTINGS_MAX_FRAME_SIZE of ours, the initial value, which is not announced (RFC 9113 §6.5.2). */
export const MAX_FRAME_BYTES = 16_384;
