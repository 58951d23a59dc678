/** How an HTTP/2 connection starts (RFC 9113 §3.4), and what it looks like when it is something else. */

/** The client's first 24 bytes. */
export const CLIENT_PREFACE: Uint8Array = Uint8Array.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', (char) => char.charCodeAt(0));

/** What bytes that differ from the preface (or from a SETTINGS frame) probably are, by the first of them. */
export function guessProtocol(first: number): string {
  if (first === 0x16) return 'it looks like TLS';
  if (first >= 0x41 && first <= 0x5a) return 'it looks like HTTP/1';
  return `its first byte is 0x${first.toString(16).padStart(2, '0')}`;
}
