/** Messages of one call without their compression: whether one crosses compressed is between two transports. */
import type { MessageEvent, Side } from '../cassette/index.js';
import { BadCompression, decompressor, DEFAULT_LIMITS } from '../wire/index.js';

export class Plain {
  private client = '';
  private server = '';

  /** @param name of grpc-encoding */
  encoding(side: Side, name: string | undefined): void {
    if (name !== undefined) this[side] = name;
  }

  /** One that cannot be read here stays as it is, and is compared as bytes. */
  message(event: MessageEvent): MessageEvent {
    if (!event.compressed) return event;
    const { data } = event;
    const decompress = decompressor(this[event.kind === 'client-message' ? 'client' : 'server']);
    if (data === undefined || decompress === undefined) return event;
    try {
      return { ...event, compressed: false, data: decompress(data, DEFAULT_LIMITS.messageBytes) };
    } catch (error) {
      if (error instanceof BadCompression) return event;
      throw error;
    }
  }
}
