/** A header or trailer field's value, which is bytes, as text where it is text. */
import type { HeaderField } from '../cassette/index.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
// eslint-disable-next-line no-control-regex -- a value with these is no text
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f-\x9f]/;

export function fieldText({ value }: HeaderField): { readonly text: string; readonly encoding: 'text' | 'base64' } {
  try {
    const text = utf8.decode(value);
    if (!CONTROL.test(text)) return { text, encoding: 'text' };
  } catch {
    // Not UTF-8.
  }
  return { text: Buffer.from(value).toString('base64'), encoding: 'base64' };
}
