// The plain way to write a recording down: one JSON line an event, payloads in base64, header values as the text
// they are. What a cassette's size is compared with.
import { Buffer } from 'node:buffer';

/** @param {Uint8Array} bytes */
const base64 = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** @param {{ name: string, value: Uint8Array }} field */
const field = ({ name, value }) => [name, name.endsWith('-bin') ? base64(value) : Buffer.from(value).toString('latin1')];

/**
 * @param {object} event one of a cassette's events
 * @returns {string}
 */
export function ndjsonLine(event) {
  const members = Object.entries(event).map(([name, value]) => {
    if (typeof value === 'bigint') return [name, Number(value)];
    if (value instanceof Uint8Array) return [name, base64(value)];
    if (name === 'headers') return [name, value.map(field)];
    return [name, value];
  });
  return `${JSON.stringify(Object.fromEntries(members))}\n`;
}

/**
 * @param {Iterable<object>} events
 * @returns {{ bytes: number, events: number }}
 */
export function ndjsonSize(events) {
  let bytes = 0;
  let count = 0;
  for (const event of events) {
    bytes += Buffer.byteLength(ndjsonLine(event));
    count += 1;
  }
  return { bytes, events: count };
}
