/**
 * The client's end of a session. Inside `Control/Session` runs a second HTTP/2 connection with the roles reversed: the
 * daemon calls what the client serves there. What the recorded client served is not in a cassette, so this one serves
 * nothing but its health; but it is there: for the session of a Solve that has none a daemon waits 10 s.
 */
import type { ClientDuplexStream } from '@grpc/grpc-js';

import { bytesMessageData, wrapBytesMessage } from '../bridge/index.js';
import type { HeaderField } from '../cassette/index.js';
import { grpcRequests, OK, ServerConnection, Status, statusTrailers, type GrpcCall, type GrpcHandler } from '../wire/index.js';

const METHOD_FIELD = 'x-docker-expose-session-grpc-method';
/** A daemon cuts a session that does not answer this (BuildKit session/grpc.go). */
const HEALTH = '/grpc.health.v1.Health/Check';
/** HealthCheckResponse { status: SERVING } */
const SERVING = Uint8Array.of(0x08, 0x01);

/** The fields of a recorded session without the methods that are not served now: daemons ask only for what they are offered. */
export function offered(headers: readonly HeaderField[]): readonly HeaderField[] {
  return headers.filter(({ name, value }) => name !== METHOD_FIELD || Buffer.from(value).toString('latin1') === HEALTH);
}

export class ServedSession {
  /** Resolves when the daemon has ended it. */
  readonly over: Promise<void>;
  private readonly wire = new ServerConnection({
    request: grpcRequests(answer),
    // All that is ever said answers what has just come.
    writable: () => undefined,
    over: () => undefined,
  });

  /** @param call of Control/Session */
  constructor(private readonly call: ClientDuplexStream<Buffer, Buffer>) {
    this.over = new Promise((resolve) => call.once('status', () => resolve()));
    call.on('data', (message: Buffer) => {
      const data = bytesMessageData(message);
      if (data !== undefined) this.wire.push(data);
      this.say();
    });
    // How it ended says nothing that a build's own status does not.
    call.on('error', () => undefined);
    this.say();
  }

  /** As a client does whose builds are over. */
  end(): void {
    this.call.end();
  }

  cancel(): void {
    this.call.cancel();
  }

  private say(): void {
    const chunks = this.wire.pull();
    if (chunks.length > 0) this.call.write(Buffer.from(wrapBytesMessage(Buffer.concat(chunks))));
    if (this.wire.isOver) this.end();
  }
}

function answer(call: GrpcCall): GrpcHandler {
  const isHealth = call.path === HEALTH;
  if (!isHealth) call.end(statusTrailers(Status.unimplemented, `bridgetape serves no ${call.path} in the session of a client that it drives`));
  return {
    message: () => undefined,
    halfClose: () => {
      if (!isHealth) return;
      call.send(SERVING);
      call.end(OK);
    },
    cancelled: () => undefined,
    drained: () => undefined,
  };
}
