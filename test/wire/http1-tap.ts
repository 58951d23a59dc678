/** An HTTP/1.1 decoder with a pen: what it tells, a line an event. */
import { type Http1DecoderOptions, Http1Decoder, type Http1Event, type HeaderField, type Side } from '../../src/wire/index.js';

export const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const list = (fields: readonly HeaderField[]): string => fields.map(({ name, value }) => ` ${name}=${textOf(value)}`).join('');

function line(event: Http1Event): string {
  switch (event.kind) {
    case 'request':
      return `${event.exchange} ${event.request.method} ${event.request.target}${list(event.request.fields)}`;
    case 'response':
      return `${event.exchange} ${event.response.status}${list(event.response.fields)}`;
    case 'content':
      return `${event.exchange} ${event.side} content ${event.data === undefined ? event.size : JSON.stringify(textOf(event.data))}`;
    case 'request-end':
    case 'response-end':
      return `${event.exchange} ${event.kind}${list(event.trailers)}`;
    case 'cut':
      return `${event.exchange} cut by ${event.side}`;
    case 'gap':
      return `${event.exchange === undefined ? '' : `${event.exchange} `}gap ${event.side} ${event.offset}+${event.bytes}: ${event.reason}`;
  }
}

export class Http1Tap {
  readonly lines: string[] = [];
  /** What crossed tunnels that were followed, by side. */
  readonly tunnelled: Record<Side, string> = { client: '', server: '' };
  private readonly decoder: Http1Decoder;
  private now = 0n;

  constructor({ follows = false, ...options }: Omit<Http1DecoderOptions, 'follow'> & { readonly follows?: boolean } = {}) {
    this.decoder = new Http1Decoder((event) => this.lines.push(line(event)), {
      wantsContent: () => true,
      ...options,
      follow: (exchange, request) => {
        if (!follows) return undefined;
        this.lines.push(`${exchange} tunnel for ${request.target}`);
        return {
          push: (side, bytes) => void (this.tunnelled[side] += textOf(bytes)),
          end: (side) => void this.lines.push(`tunnel ended by ${side}`),
        };
      },
    });
  }

  client(...texts: readonly string[]): this {
    return this.push('client', texts);
  }

  server(...texts: readonly string[]): this {
    return this.push('server', texts);
  }

  push(side: Side, parts: readonly (string | Uint8Array)[]): this {
    for (const part of parts) this.decoder.push(side, typeof part === 'string' ? bytesOf(part) : part, (this.now += 1n));
    return this;
  }

  end(...sides: readonly Side[]): this {
    for (const side of sides) this.decoder.end(side, (this.now += 1n));
    return this;
  }
}
