/** What is to be done at certain times: the earliest is always at hand, and what is taken back leaves nothing behind (a binary heap). */

export interface Appointment {
  /** Monotonic ns. */
  readonly due: bigint;
  readonly run: () => void;
}

/** Where it stands. */
class Entry implements Appointment {
  constructor(
    readonly due: bigint,
    /** Which of those that are due at once comes first. */
    private readonly number: number,
    readonly run: () => void,
    public place: number,
  ) {}

  isBefore({ due, number }: Entry): boolean {
    return this.due < due || (this.due === due && this.number < number);
  }
}

const NOWHERE = -1;

export class Agenda {
  private readonly heap: Entry[] = [];
  private added = 0;

  get first(): Appointment | undefined {
    return this.heap[0];
  }

  /** @returns takes it back; nothing when it was taken out before */
  add(due: bigint, run: () => void): () => void {
    const entry = new Entry(due, this.added, run, this.heap.length);
    this.added += 1;
    this.heap.push(entry);
    this.rise(entry);
    return () => this.remove(entry);
  }

  /** Takes out the first. */
  takeFirst(): void {
    const [first] = this.heap;
    if (first !== undefined) this.remove(first);
  }

  private remove(entry: Entry): void {
    const { place } = entry;
    if (place === NOWHERE) return;
    entry.place = NOWHERE;
    const last = this.heap.pop();
    if (last === undefined || last === entry) return;
    this.put(last, place);
    this.rise(last);
    this.sink(last);
  }

  private put(entry: Entry, place: number): void {
    this.heap[place] = entry;
    entry.place = place;
  }

  private rise(entry: Entry): void {
    while (entry.place > 0) {
      const { place } = entry;
      const above = this.heap[(place - 1) >> 1];
      if (above?.isBefore(entry) !== false) return;
      this.put(entry, above.place);
      this.put(above, place);
    }
  }

  private sink(entry: Entry): void {
    for (;;) {
      const { place } = entry;
      const [left, right] = [this.heap[2 * place + 1], this.heap[2 * place + 2]];
      const below = left !== undefined && right?.isBefore(left) === true ? right : left;
      if (below === undefined || entry.isBefore(below)) return;
      this.put(entry, below.place);
      this.put(below, place);
    }
  }
}
