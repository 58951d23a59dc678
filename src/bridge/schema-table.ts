/** The shape of schema.generated.ts: proto/ as rows, every type name resolved. */

/** Field number, name, type (a scalar's name, or a message's or enum's full name), label, and for a map its key type, for a member of a oneof the oneof's name. */
export type FieldRow = readonly [
  number: number,
  name: string,
  type: string,
  label: 'one' | 'repeated' | 'map',
  keyTypeOrOneof?: string,
];

/** Method name, request type, response type, client streaming, server streaming. */
export type MethodRow = readonly [
  name: string,
  requestType: string,
  responseType: string,
  clientStreaming: boolean,
  serverStreaming: boolean,
];

export interface SchemaTable {
  readonly messages: Readonly<Record<string, readonly FieldRow[]>>;
  readonly enums: Readonly<Record<string, readonly (readonly [name: string, value: number])[]>>;
  readonly services: Readonly<Record<string, readonly MethodRow[]>>;
}
