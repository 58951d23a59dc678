/** A tap that remembers, and ends of connections that are read to their end. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import type { ConnectionTap, Tap } from '../../src/proxy/index.js';

type Side = 'client' | 'server';

/** Remembers all that it is told, and can hold the traffic. */
export class Watcher implements Tap {
  readonly log: string[] = [];
  readonly bytes: Record<Side, Buffer[]> = { client: [], server: [] };
  readonly times: bigint[] = [];
  readonly closed: Promise<void>;
  hold = false;
  release: () => void = () => undefined;
  private close: () => void = () => undefined;

  constructor() {
    this.closed = new Promise((resolve) => {
      this.close = resolve;
    });
  }

  open(): ConnectionTap {
    this.log.push('open');
    return {
      bytes: (side, chunk, time) => {
        this.bytes[side].push(Buffer.from(chunk));
        this.times.push(time);
        return !this.hold;
      },
      ready: () =>
        new Promise((resolve) => {
          this.release = resolve;
        }),
      end: (side) => this.log.push(`end ${side}`),
      close: (side, _time, error) => {
        this.log.push(`close ${side}${error === undefined ? '' : ' error'}`);
        this.close();
      },
    };
  }

  all(side: Side): Buffer {
    return Buffer.concat(this.bytes[side]);
  }
}

/** As a gRPC client does: at the end of the stream it is done. */
export async function closed(client: Socket): Promise<void> {
  if (client.closed) return;
  if (client.readableEnded) client.destroy();
  client.on('end', () => client.destroy());
  client.resume();
  // Not once(): how it is closed is the other side's affair, an error as good as an end.
  await new Promise((resolve) => client.once('close', resolve));
}

export async function readAll(socket: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
