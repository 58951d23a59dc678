/** google.protobuf.Timestamp as protobuf's JSON has it: `2026-11-24T11:50:25.123456789Z`. */
import { readFields, writeFields, type RawField } from './wire-format.js';

const SHAPE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/;

/** undefined for one that its text would not give again. */
export function timestampLiteral(bytes: Uint8Array): string | undefined {
  const value = (number: number, raws: readonly RawField[]): bigint => {
    const raw = raws.find((candidate) => candidate.number === number);
    return raw?.wire === 'varint' ? raw.value : 0n;
  };
  const raws = readFields(bytes);
  const [seconds, nanos] = [BigInt.asIntN(64, value(1, raws)), value(2, raws)];
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime()) || nanos > 999_999_999n) return undefined;
  const text = `${date.toISOString().slice(0, -5)}.${String(nanos).padStart(9, '0')}Z`;
  return Buffer.from(encodeTimestamp(text) ?? []).equals(bytes) ? text : undefined;
}

/** undefined for a text that is no time. */
export function encodeTimestamp(text: string): Uint8Array | undefined {
  const [, whole, fraction = ''] = SHAPE.exec(text) ?? [];
  const ms = whole === undefined ? NaN : Date.parse(`${whole}Z`);
  if (Number.isNaN(ms)) return undefined;
  const parts = [BigInt(ms / 1000), BigInt(fraction.padEnd(9, '0'))];
  return writeFields(parts.flatMap((value, index): RawField[] => (value === 0n ? [] : [{ number: index + 1, wire: 'varint', value }])));
}
