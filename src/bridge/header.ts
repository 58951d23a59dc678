/** Header and trailer fields, as far as they are text. */

/** A field as it crossed. */
export interface Header {
  readonly name: string;
  readonly value: Uint8Array;
}

/** The text of the first field of that name; undefined when there is none. */
export function headerText(headers: readonly Header[], name: string): string | undefined {
  const header = headers.find((field) => field.name === name);
  return header && Buffer.from(header.value.buffer, header.value.byteOffset, header.value.byteLength).toString('latin1');
}
