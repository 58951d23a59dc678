/** BytesMessage: a piece of the byte stream that Control/Session tunnels. */
import { bytesFieldOf, tryDecode } from './message.js';
import { bytesField, WireFormatError } from './wire-format.js';

/** The bytes within; undefined when the payload is no BytesMessage. */
export function bytesMessageData(payload: Uint8Array): Uint8Array | undefined {
  const message = tryDecode('moby.buildkit.v1.BytesMessage', payload);
  return message instanceof WireFormatError ? undefined : bytesFieldOf(message, 'data');
}

/** A BytesMessage of these bytes. */
export function wrapBytesMessage(data: Uint8Array): Uint8Array {
  return data.length === 0 ? data : bytesField(1, data);
}
