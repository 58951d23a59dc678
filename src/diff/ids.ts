/**
 * The ids of one recording, and which of them stands for which of the other. An id means something only within its
 * recording; what is compared is the role that it has there: the result of that solve, the container of that request.
 */
import { replaceIds, type Canonical, type DefinedId, type IdMap, type IntroducedId } from '../bridge/index.js';

export type IdKind = IntroducedId['kind'] | DefinedId['kind'];
export type SideName = 'before' | 'after';

interface Known {
  readonly kind: IdKind;
  readonly number: number;
  /** The call that introduced it. */
  readonly call: number;
  /** How it is called in both recordings; undefined as long as nothing is known to stand for it. */
  name: string | undefined;
}

const TOKEN = /⟨([a-z]+) #(\d+)⟩/g;
const DIGEST = /sha256:[0-9a-f]{64}/g;

/** An op that only one of the recordings has: that its digest is another one follows from what differs in it or below it. */
const OTHER_OP = '⟨other op⟩';

const NO_NUMBERS: readonly number[] = [];

/** A list that grew has room to grow on, for sixteen more. */
const trimmed = (numbers: readonly number[]): readonly number[] => (numbers.length === 0 ? NO_NUMBERS : numbers.slice());

const ANY_ID = '⟨id⟩';

/** Ids that are not known as such count as well. */
export const withoutAnyId = (text: string): string => replaceIds(text, ANY_ID);

export class Ids {
  private readonly known = new Map<string, Known>();
  private readonly byNumber: Known[] = [];
  /** Of each op: its digest → the canonical one. */
  private readonly ops = new Map<string, string>();
  private readonly canonicalOps = new Set<string>();
  private other: Ids | undefined;

  constructor(private readonly side: SideName) {}

  /** From here on, what is an op of both recordings is told from what is not. */
  static join(one: Ids, other: Ids): void {
    one.other = other;
    other.other = one;
  }

  add(kind: IdKind, id: string, call: number): void {
    if (id === '' || this.known.has(id)) return;
    const known: Known = { kind, number: this.byNumber.length, call, name: undefined };
    this.known.set(id, known);
    this.byNumber.push(known);
  }

  addOps({ digests, respelled }: Pick<Canonical, 'digests' | 'respelled'>): void {
    for (const names of [digests, respelled]) {
      for (const [digest, canonical] of names) {
        this.ops.set(digest, canonical);
        this.canonicalOps.add(canonical);
      }
    }
  }

  /** Each id as a token with its number: messages that differ only in ids are equal but for the numbers. */
  readonly tokens: IdMap = {
    get: (id) => {
      const known = this.known.get(id);
      return known === undefined ? this.ops.get(id) : `⟨${known.kind} #${known.number}⟩`;
    },
  };

  /** Each id by the name that both recordings have for it, else by where it comes from. */
  readonly names: IdMap = {
    get: (id) => {
      const known = this.known.get(id);
      return known === undefined ? this.ops.get(id) : this.nameOf(known);
    },
  };

  /** All ids are one: what an error says of them is in no order, and not only about what this recording introduced. */
  readonly hidden: IdMap = { get: (id) => this.ops.get(id) ?? (this.known.has(id) ? ANY_ID : undefined) };

  /** A text as it crossed, with ids by their names. */
  renamed(text: string): string {
    return replaceIds(text, (id) => this.names.get(id) ?? id);
  }

  private nameOf({ name, kind, call }: Known): string {
    return name ?? `⟨${kind} of call ${call}, only ${this.side}⟩`;
  }

  /** The known ids in a text as it crossed, by their numbers, and the text without them. */
  takenOut(text: string): { readonly text: string; readonly numbers: readonly number[] } {
    const numbers: number[] = [];
    const plain = replaceIds(text, (id) => {
      const known = this.known.get(id);
      if (known === undefined) return id;
      numbers.push(known.number);
      return '\0';
    });
    return { text: plain, numbers: trimmed(numbers) };
  }

  /** The same of a canonical text with tokens. */
  tokensTakenOut(text: string): { readonly text: string; readonly numbers: readonly number[] } {
    const numbers: number[] = [];
    const plain = text.replace(TOKEN, (_, kind: string, number: string) => {
      numbers.push(Number(number));
      return `⟨${kind}⟩`;
    });
    return { text: plain, numbers: trimmed(numbers) };
  }

  /** What ids are called now, in one text: equal for ids that stand for each other. */
  named(numbers: readonly number[]): string {
    return numbers.map((number) => this.called(number)).join(' ');
  }

  /** Whether ids by their numbers are called the same, each at its place. */
  static areNamedAlike(one: Ids, numbers: readonly number[], other: Ids, otherNumbers: readonly number[]): boolean {
    return numbers.length === otherNumbers.length && numbers.every((number, index) => one.called(number) === other.called(otherNumbers[index] ?? -1));
  }

  private called(number: number): string {
    const known = this.byNumber[number];
    return known === undefined ? '' : this.nameOf(known);
  }

  mentionsOps(text: string): boolean {
    return text.includes('sha256:') && text.match(DIGEST)?.some((digest) => this.canonicalOps.has(digest)) === true;
  }

  /** Digests of ops that only this recording has are all the same. */
  withoutOtherOps(text: string): string {
    return text.replace(DIGEST, (digest) => (this.canonicalOps.has(digest) && this.other?.canonicalOps.has(digest) === false ? OTHER_OP : digest));
  }

  /** The same of digests that no message of this recording defines: those of ops that a daemon makes up, with ids in them, or shares with other builds. */
  withoutUnknownOps(text: string): string {
    return text.replace(DIGEST, (digest) => (this.canonicalOps.has(digest) ? digest : OTHER_OP));
  }

  /** Two ids stand for each other from here on; ones that stand for something already stay what they are. */
  static pair(one: Ids, id: string, other: Ids, otherId: string): void {
    pairKnown(one.known.get(id), other.known.get(otherId));
  }

  /** The same of ids by their numbers, those at the same places. */
  static pairNumbers(one: Ids, numbers: readonly number[], other: Ids, otherNumbers: readonly number[]): void {
    for (const [index, number] of numbers.entries()) pairKnown(one.byNumber[number], other.byNumber[otherNumbers[index] ?? -1]);
  }
}

function pairKnown(one: Known | undefined, other: Known | undefined): void {
  if (one === undefined || other === undefined || one.kind !== other.kind || one.name !== undefined || other.name !== undefined) return;
  const calls = one.call === other.call ? `${one.call}` : `${one.call} → ${other.call}`;
  // The number tells several ids of one call apart.
  one.name = `⟨${one.kind} ${one.number} of call ${calls}⟩`;
  other.name = one.name;
}
