/** Messages of one call without their compression: whether one crosses compressed is between two transports. */
import { headerText } from '../bridge/index.js';
import type { HeaderField, MessageEvent, Side } from '../cassette/index.js';
import { BadCompression, decompressor, DEFAULT_LIMITS } from '../wire/index.js';

export class Plain {
  private readonly encodings = new Map<Side, string>();

  encoding(side: Side, headers: readonly HeaderField[]): void {
    const name = headerText(headers, 'grpc-encoding');
    if (name !== undefined) this.encodings.set(side, name);
  }

  /** One that cannot be read here stays as it is, and is compared as bytes. */
  message(event: MessageEvent): MessageEvent {
    if (!event.compressed) return event;
    const { data } = event;
    const decompress = decompressor(this.encodings.get(event.kind === 'client-message' ? 'client' : 'server') ?? '');
    if (data === undefined || decompress === undefined) return event;
    try {
      return { ...event, compressed: false, data: decompress(data, DEFAULT_LIMITS.messageBytes) };
    } catch (error) {
      if (error instanceof BadCompression) return event;
      throw error;
    }
  }
}
