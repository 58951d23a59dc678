/** A cassette as a text that can be read, edited and packed again (docs/text-form.md). */
export { pack, type Packed, type PackOptions } from './pack.js';
export { isTextFile, unpack, type Unpacked, type UnpackOptions } from './unpack.js';
export { cassetteLines } from './cassette-text.js';
export { diffLines } from './diff-text.js';
