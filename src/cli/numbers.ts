/** Numbers as they are written behind a command. */
import { BridgetapeError } from '../errors.js';

/** @throws BridgetapeError `bad-argument` */
export function callNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new BridgetapeError('bad-argument', `"${text}" is no call number.`, 'Name a call by its number in the table: bridgetape show FILE');
}
