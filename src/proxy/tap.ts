/**
 * What a proxy tells about the bytes it forwarded. A tap only watches: it is called after the bytes were handed
 * on, and the one thing it can do to the traffic is to slow it.
 */
import type { SocketAddress } from '../socket/index.js';

/** Who sent the bytes: the side that dialled, or the one that answered. */
export type Side = 'client' | 'server';

export interface Tap {
  /**
   * A client connected.
   * @param time monotonic ns
   */
  open(listen: SocketAddress, time: bigint): ConnectionTap;
}

export interface ConnectionTap {
  /**
   * Bytes that were read and forwarded. The chunk is not used again by the proxy.
   * @param time monotonic ns, taken when the bytes were read
   * @returns false to have reading paused until {@link ConnectionTap.ready} resolves
   */
  bytes(side: Side, chunk: Uint8Array, time: bigint): boolean;
  ready(): Promise<void>;
  /** That side sends no more. */
  end(side: Side, time: bigint): void;
  /** The connection is over on both sides. */
  close(side: Side, time: bigint, error?: Error): void;
}
