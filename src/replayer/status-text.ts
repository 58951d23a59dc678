/** A text for a gRPC status: one that is short enough for a header, with what to do about it. */

/** Octets of a header, percent-encoded: some clients take no more than 8 KiB of all headers together (gRPC C-core). */
const MAX_STATUS_OCTETS = 4096;

/** What is wrong comes first, and what is too long is cut before the advice. */
export function withAdvice(text: string, advice: string): string {
  const needed = octetsInHeader(advice);
  const last = needed > MAX_STATUS_OCTETS / 2 ? '' : advice;
  return `${cutToOctets(text, MAX_STATUS_OCTETS - (last === '' ? 0 : needed))}${last}`;
}

function cutToOctets(text: string, room: number): string {
  if (octetsInHeader(text) <= room) return text;
  let left = room - octetsInHeader('…');
  let kept = '';
  for (const char of text) {
    left -= octetsInHeader(char);
    if (left < 0) break;
    kept += char;
  }
  return `${kept}…`;
}

/** As a grpc-message: three for each octet that is not printable ASCII. */
function octetsInHeader(text: string): number {
  let octets = 0;
  for (const octet of Buffer.from(text)) octets += octet >= 0x20 && octet <= 0x7e && octet !== 0x25 ? 1 : 3;
  return octets;
}
