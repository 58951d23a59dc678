/**
 * Every bound of the decoder. A tap stands between two peers that have their own limits and enforce them; these
 * only keep a peer that goes wild, or bytes that aren't what they seem, from taking the recorder's memory. So each
 * is at or above what a peer of this kind accepts, and what passes one becomes a gap, never an error.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

export interface Limits {
  /** Bytes of one header block, HEADERS or PUSH_PROMISE with its CONTINUATIONs. */
  readonly headerBlockBytes: number;
  /** Fields in one header block. */
  readonly headerFields: number;
  /** Size of one header list by RFC 9113 §10.5.1: name + value + 32 for each field. */
  readonly headerListBytes: number;
  /** Size of one direction's HPACK dynamic table, by RFC 7541 §4.1. */
  readonly headerTableBytes: number;
  /** Payload of a SETTINGS, RST_STREAM or GOAWAY frame, which are read whole. */
  readonly controlFrameBytes: number;
  /** Payload of one gRPC message whose body is wanted. */
  readonly messageBytes: number;
  /** Payload bytes of unfinished messages, all streams and both directions together. */
  readonly heldBytes: number;
  /** Streams open at once. */
  readonly openStreams: number;
}

export const DEFAULT_LIMITS: Limits = {
  // grpc-go accepts a header list of 16 MiB by default, on both sides; a block is never longer than its list by
  // more than Huffman's worst case, which no encoder chooses. Failing builds send trailers of hundreds of KiB.
  headerBlockBytes: 16 * MiB,
  // Past anything an application writes; at some 150 bytes of heap a field this is 10 MB.
  headerFields: 65_536,
  headerListBytes: 16 * MiB,
  // Peers announce 4 KiB (grpc-go, nghttp2), 64 KiB (browsers). A table this big holds 32,768 entries.
  headerTableBytes: MiB,
  // SETTINGS has some ten entries of 6 bytes; a GOAWAY's debug text is a sentence.
  controlFrameBytes: 64 * KiB,
  // BuildKit takes messages of 16 MiB (containerd's defaults); a daemon can be set higher.
  messageBytes: 64 * MiB,
  // Ten full-size BuildKit messages at once, or one at the limit with room for the rest.
  heldBytes: 160 * MiB,
  // A build has some tens; grpc-go sets no limit of its own. At some 500 bytes a stream this is 32 MB.
  openStreams: 65_536,
};

/** The longest that an HPACK integer may be: its prefix and four more octets, 28 bits (RFC 7541 §5.1). */
export const HPACK_INTEGER_OCTETS = 4;

/** What a decoder assumes before any SETTINGS (RFC 9113 §6.5.2). */
export const INITIAL_HEADER_TABLE_BYTES = 4096;
