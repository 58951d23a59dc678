/** Flow-control windows (RFC 9113 §6.9). */

export const INITIAL_WINDOW_BYTES = 65_535;
export const MAX_WINDOW_BYTES = 2 ** 31 - 1;

/** How much may be sent; below 0 after a SETTINGS that made windows smaller (§6.9.2). */
export class SendWindow {
  constructor(private bytes: number) {}

  get available(): number {
    return this.bytes;
  }

  spend(bytes: number): void {
    this.bytes -= bytes;
  }

  /** @returns false when it would pass 2^31-1 */
  grow(bytes: number): boolean {
    this.bytes += bytes;
    return this.bytes <= MAX_WINDOW_BYTES;
  }
}

/** How much the peer may send: what was read is given back when it is worth a frame. */
export class ReceiveWindow {
  private read = 0;

  /** @param left what the peer may send to begin with: more than the size, as long as it may not know of that */
  constructor(
    private readonly size: number,
    private left = size,
  ) {}

  /** @returns false when the peer sent more than it may */
  spend(bytes: number): boolean {
    this.left -= bytes;
    return this.left >= 0;
  }

  /** Bytes were read. @returns the increment of the WINDOW_UPDATE that is due; 0 for none */
  release(bytes: number): number {
    this.read += bytes;
    if (this.read * 2 < this.size) return 0;
    const increment = this.read;
    this.read = 0;
    this.left += increment;
    return increment;
  }
}
