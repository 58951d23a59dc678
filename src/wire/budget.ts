/** How often something may happen: so often at once, and so often per second after that. */
export class Budget {
  private left: number;
  private since: number;

  /** @param now monotonic ms */
  constructor(
    private readonly rate: { readonly burst: number; readonly perSecond: number },
    private readonly now: () => number,
  ) {
    this.left = rate.burst;
    this.since = now();
  }

  /** @returns false when it happens too often */
  spend(): boolean {
    if (this.left < 1) this.refill();
    this.left -= 1;
    return this.left >= 0;
  }

  private refill(): void {
    const now = this.now();
    const { burst, perSecond } = this.rate;
    this.left = Math.min(burst, Math.max(0, this.left) + ((now - this.since) * perSecond) / 1000);
    this.since = now;
  }
}
