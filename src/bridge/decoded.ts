/**
 * Messages as plain values to be shown: protobuf's JSON with the field names of proto/, but for what would hide
 * something. 64-bit numbers that JSON can't hold are strings; bytes are text where that can be read, else
 * `{ base64, size }`; unknown fields stand under `#number`; what is cut says how long it was.
 */
import { printable } from './text.js';
import type { RawField } from './wire-format.js';

export type Decoded = null | string | number | boolean | readonly Decoded[] | DecodedObject;
export interface DecodedObject {
  readonly [name: string]: Decoded;
}

export interface ViewOptions {
  /** Longer strings and byte values are cut. 64 KiB unless told. */
  readonly maxText?: number;
  /** So many values are shown, then no more. 20,000 unless told. */
  readonly maxValues?: number;
}

const MAX_TEXT = 64 * 1024;
const MAX_VALUES = 20_000;
/** All texts of one view together: what somebody can look at, and no more memory than that. */
const MAX_TOTAL_TEXT = 4 * 1024 * 1024;

/** How much of a view is still to be had; shared by all parts of one view. */
export class Budget {
  private values: number;
  private text = MAX_TOTAL_TEXT;
  private readonly maxText: number;

  constructor({ maxText = MAX_TEXT, maxValues = MAX_VALUES }: ViewOptions = {}) {
    this.maxText = maxText;
    this.values = maxValues;
  }

  get exhausted(): boolean {
    return this.values <= 0;
  }

  take(): void {
    this.values -= 1;
  }

  /** How many characters or bytes of one value can be shown. */
  allow(length: number): number {
    this.take();
    const allowed = Math.max(0, Math.min(length, this.maxText, this.text));
    this.text -= allowed;
    return allowed;
  }
}

export function viewString(text: string, budget: Budget): Decoded {
  const shown = budget.allow(text.length);
  return shown === text.length ? text : { text: text.slice(0, shown), size: Buffer.byteLength(text), truncated: true };
}

export function viewBytes(bytes: Uint8Array, budget: Budget): Decoded {
  const shown = budget.allow(bytes.length);
  const whole = shown === bytes.length;
  let part = bytes.subarray(0, shown);
  let text = printable(part);
  // A cut can fall within a character.
  for (let back = 1; !whole && text === undefined && back < 4 && back <= shown; back += 1) {
    part = bytes.subarray(0, shown - back);
    text = printable(part);
  }
  if (text !== undefined) return whole ? text : { text, size: bytes.length, truncated: true };
  return { base64: Buffer.from(bytes.subarray(0, shown)).toString('base64'), size: bytes.length, ...(!whole && { truncated: true }) };
}

export const viewInteger = (value: bigint): Decoded =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value.toString();

/** Fields that proto/ doesn't have, by number, each with its wire type and value; a list where a number stands more than once. */
export function viewUnknown(unknown: readonly RawField[], budget: Budget): DecodedObject {
  const byNumber = new Map<number, Decoded[]>();
  for (const { number, wire, value } of unknown) {
    if (budget.exhausted) break;
    budget.take();
    const shown = { [wire]: value instanceof Uint8Array ? viewBytes(value, budget) : viewInteger(value) };
    const others = byNumber.get(number);
    if (others) others.push(shown);
    else byNumber.set(number, [shown]);
  }
  return Object.fromEntries(Array.from(byNumber, ([number, values]) => [`#${number}`, values.length === 1 ? (values[0] ?? null) : values]));
}
