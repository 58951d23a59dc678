/**
 * Map and Set for entries that come and go as fast as calls do.
 *
 * V8 replaces the table of a Map after as many changes as it has room for, and lets each old table refer to its successor.
 * Once one table has been promoted to the old generation, every later one, and what each of them held, counts as reachable
 * until the next full collection: garbage of calls that ended long ago is copied and kept (100,000 short calls: 270 MB, and
 * scavenges of 10 ms instead of 1). Here the Map is replaced as a whole before that: two Maps don't refer to each other.
 */

/** So many removals at least go by before the entries that are left are moved. */
const FEWEST = 16;

export class PassingMap<K, V> {
  private map = new Map<K, V>();
  private removed = 0;
  /** Iterations that are going on. */
  private walks = 0;

  get size(): number {
    return this.map.size;
  }

  get(key: K): V | undefined {
    return this.map.get(key);
  }

  has(key: K): boolean {
    return this.map.has(key);
  }

  set(key: K, value: V): void {
    this.map.set(key, value);
  }

  delete(key: K): boolean {
    if (!this.map.delete(key)) return false;
    this.removed += 1;
    if (this.removed >= FEWEST && this.removed >= this.map.size && this.walks === 0) {
      this.map = new Map(this.map);
      this.removed = 0;
    }
    return true;
  }

  clear(): void {
    this.map.clear();
  }

  /** As those of a Map: in the order in which they came, with what is added meanwhile and without what is removed. */
  *[Symbol.iterator](): Generator<[K, V], void, undefined> {
    this.walks += 1;
    try {
      yield* this.map;
    } finally {
      this.walks -= 1;
    }
  }

  /** The same, without an object for each of them. */
  forEach(visit: (value: V, key: K) => void): void {
    this.walks += 1;
    try {
      this.map.forEach(visit);
    } finally {
      this.walks -= 1;
    }
  }

  *keys(): Generator<K, void, undefined> {
    for (const [key] of this) yield key;
  }

  *values(): Generator<V, void, undefined> {
    for (const [, value] of this) yield value;
  }
}

export class PassingSet<T> {
  private readonly members = new PassingMap<T, undefined>();

  get size(): number {
    return this.members.size;
  }

  has(member: T): boolean {
    return this.members.has(member);
  }

  add(member: T): void {
    this.members.set(member, undefined);
  }

  delete(member: T): boolean {
    return this.members.delete(member);
  }

  clear(): void {
    this.members.clear();
  }

  forEach(visit: (member: T) => void): void {
    if (this.members.size > 0) this.members.forEach((_, member) => visit(member));
  }

  /** As that of a Set. */
  [Symbol.iterator](): Generator<T, void, undefined> {
    return this.members.keys();
  }
}

/** What was made of the key that came last, for keys of which most come again at once. */
export class Latest<K extends object, V> {
  private last: { readonly key: K; readonly value: V } | undefined;

  constructor(private readonly make: (key: K) => V) {}

  of(key: K): V {
    if (this.last?.key !== key) this.last = { key, value: this.make(key) };
    return this.last.value;
  }
}

/** What was made of keys, remembered up to so much: then all is forgotten, and what comes again is made anew. */
export class Memo<K, V> {
  private map = new Map<K, V>();
  private held = 0;

  /** @param most how much is remembered: entries, or whatever {@link set} counts */
  constructor(private readonly most: number) {}

  get(key: K): V | undefined {
    return this.map.get(key);
  }

  /** @param weight how much of `most` the entry takes */
  set(key: K, value: V, weight = 1): void {
    this.held += weight;
    if (this.held > this.most) {
      // Not cleared, for the reason above.
      this.map = new Map();
      this.held = weight;
    }
    this.map.set(key, value);
  }
}
