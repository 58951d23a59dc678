/** What every client of BuildKit asks around a build, answered whether the cassette holds it or not. */
import { OK } from '../wire/index.js';
import type { Call, CallHandler } from './call.js';

export const HEALTH_CHECK = '/grpc.health.v1.Health/Check';
/** Spans are accepted and dropped: recorded answers to them say nothing. */
export const TRACE_EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

/** HealthCheckResponse { status: SERVING } (grpc/health/v1/health.proto) */
const SERVING = Uint8Array.of(0x08, 0x01);
/** ExportTraceServiceResponse {} */
const ACCEPTED = new Uint8Array();

/** The default answer of a method; undefined when only a cassette can tell. */
export function defaultAnswer(path: string): Uint8Array | undefined {
  switch (path) {
    case HEALTH_CHECK:
      return SERVING;
    case TRACE_EXPORT:
      return ACCEPTED;
    default:
      return undefined;
  }
}

/** Answers a unary call with the same each time. */
export function answerWith(call: Call, payload: Uint8Array): CallHandler {
  let open = true;
  return {
    message: () => undefined,
    halfClose: () => {
      if (!open) return;
      open = false;
      call.sendHeaders([]);
      call.send(payload);
      call.end(OK);
    },
    cancelled: () => {
      open = false;
    },
    drained: () => undefined,
  };
}
