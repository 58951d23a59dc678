/** LLB, as far as this frontend needs it: files on an empty file system. */
import { createHash } from 'node:crypto';

import { encode, type Fields } from './messages.js';

/** @returns fields of a pb.Definition */
export function filesOnScratch(files: Readonly<Record<string, string>>): Fields {
  const actions = Object.entries(files).map(([path, text], index) => ({
    // The first one begins with nothing, each other one with what the one before it made.
    input: index === 0 ? -1 : index - 1,
    secondaryInput: -1,
    output: index === Object.keys(files).length - 1 ? 0 : -1,
    mkfile: { path, mode: 0o644, data: Buffer.from(text), timestamp: -1 },
  }));
  const op = encode('pb.Op', { file: { actions } });
  const digest = `sha256:${createHash('sha256').update(op).digest('hex')}`;
  // The last op names the result.
  const last = encode('pb.Op', { inputs: [{ digest, index: 0 }] });
  return { def: [op, last], metadata: { [digest]: { caps: { 'file.base': true }, description: { 'llb.customname': 'write the greetings' } } } };
}
