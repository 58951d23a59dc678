/** Every number of format v1 that bounds or sizes something, each with its reason. */

const KiB = 1024;
const MiB = 1024 * KiB;

export const FORMAT_VERSION = 1;

/**
 * The longest message body that is kept. BuildKit's own limit is 16 MiB; four times that leaves room for a
 * daemon built with another one. A longer body is left out and a gap event says so.
 */
export const MAX_MESSAGE = 64 * MiB;

/** The longest record content, unpacked: the longest message, and room for what stands around it. */
export const MAX_RAW = MAX_MESSAGE + MiB;

/** The longest record content as stored. What doesn't get smaller is stored plain, so it is never more. */
export const MAX_STORED = MAX_RAW;

/** The header holds a command line (Linux takes 6 MiB at most) and a frontend's run. */
export const MAX_HEADER = 24 * MiB;
/** A frontend's arguments, environment variables and working directory: in all, and their characters. Linux takes 6 MiB. */
export const MAX_FRONTEND_TEXTS = 1 << 16;
export const MAX_FRONTEND_TEXT = 6 * MiB;
/** Linux's NGROUPS_MAX. */
export const MAX_FRONTEND_GROUPS = 1 << 16;
/** BuildKit writes one file, the definition of the frontend's image, of some KiB. */
export const MAX_FRONTEND_FILES = 256;
/** Paths and contents of all of them. */
export const MAX_FRONTEND_DATA = 4 * MiB;
export const MAX_UINT32 = 0xffff_ffff;

/** msgpack values in one record. The fullest honest one, a block of the smallest events, has some 600,000. */
export const MAX_VALUES = 1 << 20;

/** The deepest honest nesting is 5: index record, rows, row, block runs. */
export const MAX_DEPTH = 8;

/** One event besides a message: a header list as large as this is 1,000 times what gRPC servers take. */
export const MAX_EVENT = 16 * MiB;
export const MAX_HEADER_FIELDS = 1 << 16;

/** Listed calls; a reader holds some 300 bytes for each. Calls after that are in the events, not in the list. */
export const MAX_CALLS = 1 << 20;
export const MAX_CONNECTIONS = 1 << 18;
/** Blocks of one kind. A journal that trickles seals 20 a second, so this is more than two days of it. */
export const MAX_BLOCKS = 1 << 22;
/** All index records of a file, unpacked. */
export const MAX_INDEX = 256 * MiB;
/** Block runs of all calls together. */
export const MAX_RUNS = 1 << 23;
/** Texts in the index (paths, status messages, addresses) are cut at this many characters; events hold them whole. */
export const MAX_INDEX_TEXT = 4 * KiB;

/** A block of the journal: large enough that one write costs little, small enough to be filled often. */
export const JOURNAL_BLOCK = 256 * KiB;
/** The longest time an event stays in memory before it is on its way to the disk. */
export const FLUSH_AFTER_MS = 50;
/** Sealed bytes that the disk has not taken: above the first, traffic is asked to pause; below the second, to go on. */
export const HIGH_WATER = 4 * MiB;
export const LOW_WATER = MiB;

/** A block of events in a packed cassette: what reading one call unpacks at least. */
export const EVENT_BLOCK = 512 * KiB;
/** A block of payloads in a packed cassette. */
export const PAYLOAD_BLOCK = MiB;
/** Payloads from this size on are stored once per digest; for smaller ones the 32-byte digest costs more than it saves. */
export const SHARED_PAYLOAD = KiB;
/** Digests that packing remembers; above that the oldest are forgotten, and their payload may be stored again. */
export const MAX_DIGESTS = 1 << 18;
/** Rows of an index record are cut when they hold this many values, well under MAX_VALUES. */
export const INDEX_VALUES = 1 << 17;

/** Bytes that a reader checksums in all while it looks for whole records behind damages. */
export const RESYNC_WORK = 1024 * MiB;
/** Damages of one file; the rest of a file that has more is one damage. */
export const MAX_DAMAGES = 1000;
/** Calls that one damage lists. */
export const MAX_LISTED = 1000;
/** Bytes that a walk over a file of this size unpacks: recordings don't pack a thousand to one on the whole. */
export const scanWork = (size: number): number => 4096 * MiB + size * 1024;
