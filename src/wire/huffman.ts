/**
 * HPACK's Huffman code (RFC 7541 §5.2, Appendix B): encoded symbol by symbol, decoded four bits at a time by a state
 * machine. The code is canonical (codes in order of length, then of symbol), so that the lengths are all there is to
 * write down.
 */

/** Code length of each symbol; the last, 256, is EOS. */
// prettier-ignore
export const CODE_LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];

const EOS = 256;

/** The inner nodes of the code's tree are the states, 0 the root; one more is where EOS leads, for good. */
const DEAD = 256;

/** One transition for each state and nibble: next state << 16 | emits << 8 | symbol. No nibble ends two symbols. */
const TRANSITIONS = new Int32Array((DEAD + 1) * 16);
/** States where a string may end: the root, and up to seven 1 bits below it, which is EOS's prefix as padding. */
const MAY_END = new Uint8Array(DEAD + 1);

interface Node {
  readonly state: number;
  readonly children: [Node | number | undefined, Node | number | undefined];
}

/** Each symbol's code, given the lengths: the canonical rule. */
function* canonicalCodes(): Generator<{ symbol: number; length: number; code: number }> {
  const symbols = CODE_LENGTHS.map((length, symbol) => ({ length, symbol }));
  symbols.sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  let code = 0;
  let before = symbols[0]?.length ?? 0;
  for (const { length, symbol } of symbols) {
    code <<= length - before;
    before = length;
    yield { symbol, length, code };
    code += 1;
  }
}

function buildMachine(): void {
  const nodes: Node[] = [];
  const grow = (): Node => {
    const node: Node = { state: nodes.length, children: [undefined, undefined] };
    nodes.push(node);
    return node;
  };
  const root = grow();
  for (const { symbol, length, code } of canonicalCodes()) {
    let node = root;
    for (let bit = length - 1; bit > 0; bit -= 1) {
      const side = (code >> bit) & 1;
      let child = node.children[side];
      if (typeof child !== 'object') node.children[side] = child = grow();
      node = child;
    }
    node.children[code & 1] = symbol;
  }
  for (const node of nodes) {
    for (let nibble = 0; nibble < 16; nibble += 1) TRANSITIONS[(node.state << 4) | nibble] = follow(root, node, nibble);
  }
  TRANSITIONS.fill(DEAD << 16, DEAD << 4);
  let padding: Node | number | undefined = root;
  for (let bits = 0; bits < 8 && typeof padding === 'object'; bits += 1) {
    MAY_END[padding.state] = 1;
    padding = padding.children[1];
  }
}

function follow(root: Node, from: Node, nibble: number): number {
  let node = from;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit -= 1) {
    const child = node.children[(nibble >> bit) & 1];
    if (child === EOS || child === undefined) return DEAD << 16;
    if (typeof child === 'object') {
      node = child;
    } else {
      emitted = 0x100 | child;
      node = root;
    }
  }
  return (node.state << 16) | emitted;
}

buildMachine();

/** The most octets that `length` Huffman-coded octets can become: the shortest code has five bits. One spare, for speed. */
export function huffmanRoom(length: number): number {
  return Math.floor((length * 8) / 5) + 1;
}

/**
 * Decodes into `out`, which has `huffmanRoom` octets.
 * @returns how many octets, or -1: EOS inside, or padding that is over seven bits or not EOS's prefix
 */
export function huffmanDecode(bytes: Uint8Array, from: number, to: number, out: Uint8Array): number {
  let state = 0;
  let length = 0;
  for (let at = from; at < to; at += 1) {
    const octet = bytes[at] ?? 0;
    let step = TRANSITIONS[(state << 4) | (octet >> 4)] ?? 0;
    out[length] = step;
    length += (step >> 8) & 1;
    step = TRANSITIONS[((step >> 12) & 0x1ff0) | (octet & 15)] ?? 0;
    out[length] = step;
    length += (step >> 8) & 1;
    state = step >> 16;
  }
  return MAY_END[state] === 1 ? length : -1;
}

const OCTET_LENGTHS = Uint8Array.from(CODE_LENGTHS.slice(0, EOS));
const OCTET_CODES = new Uint32Array(256);
for (const { symbol, code } of canonicalCodes()) if (symbol !== EOS) OCTET_CODES[symbol] = code;

/** How many octets these become when they are encoded. */
export function huffmanLength(bytes: Uint8Array): number {
  let bits = 0;
  for (let at = 0; at < bytes.length; at += 1) bits += OCTET_LENGTHS[bytes[at] ?? 0] ?? 0;
  return Math.ceil(bits / 8);
}

/**
 * Encodes into `out` from `at` on, where there is room for `huffmanLength` octets.
 * @returns where the code ends
 */
export function huffmanEncode(bytes: Uint8Array, out: Uint8Array, at: number): number {
  // The low `bits` bits of the register, never more than 7 between symbols, are still to be written.
  let register = 0;
  let bits = 0;
  for (let from = 0; from < bytes.length; from += 1) {
    const octet = bytes[from] ?? 0;
    const code = OCTET_CODES[octet] ?? 0;
    let length = OCTET_LENGTHS[octet] ?? 0;
    if (length > 25) {
      // Perhaps more than 32 bits with those that wait. The code's first 8 go ahead; below they fall on themselves.
      length -= 8;
      register = (register << 8) | (code >>> length);
      out[at] = register >>> bits;
      at += 1;
    }
    register = (register << length) | code;
    bits += length;
    while (bits >= 8) {
      bits -= 8;
      out[at] = register >>> bits;
      at += 1;
    }
  }
  if (bits > 0) {
    out[at] = (register << (8 - bits)) | (0xff >>> bits);
    at += 1;
  }
  return at;
}
