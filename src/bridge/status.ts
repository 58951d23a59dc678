/** How a call ended: gRPC's trailers, with the details that BuildKit puts into them. */
import { wholeText } from './canonical.js';
import { Budget, type Decoded, type ViewOptions } from './decoded.js';
import { headerText, type Header } from './header.js';
import { bytesFieldOf, repeatedMessages, stringField, textOf, tryDecode } from './message.js';
import { codeName } from './text.js';
import { viewAnyValue } from './view.js';
import { WireFormatError } from './wire-format.js';

export interface StatusDetail {
  /** Such as github.com/moby/buildkit/errdefs.Vertex+json. */
  readonly typeUrl: string;
  readonly value: Decoded;
}

export interface CallStatus {
  /** -1 when the trailers hold no grpc-status that is a number. */
  readonly code: number;
  /** Such as NOT_FOUND; MISSING without a code. */
  readonly codeName: string;
  readonly message: string;
  readonly details: readonly StatusDetail[];
  /** Why the details could not be read. */
  readonly undecodable?: string;
}

/** The last field of that name, as HTTP/2 peers that expect one read it. */
function text(headers: readonly Header[], name: string): string | undefined {
  return headerText(headers.toReversed(), name);
}

/** Percent-decoding as gRPC has it: bytes that are no UTF-8 afterwards, and broken escapes, stay as they came. */
function percentDecoded(raw: string): string {
  const bytes = Buffer.from(
    raw.replace(/%([0-9a-fA-F]{2})/g, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  return textOf(bytes) ?? raw;
}

function detailsOf(base64: string, budget: Budget): Pick<CallStatus, 'details' | 'undecodable'> {
  const status = tryDecode('google.rpc.Status', Buffer.from(base64, 'base64'));
  if (status instanceof WireFormatError) return { details: [], undecodable: status.message };
  return {
    details: repeatedMessages(status, 'details').map((any) => {
      const typeUrl = stringField(any, 'type_url');
      return { typeUrl, value: viewAnyValue(typeUrl, bytesFieldOf(any, 'value'), budget) };
    }),
  };
}

/**
 * Reads grpc-status, grpc-message and grpc-status-details-bin. Never throws, whatever the trailers hold.
 *
 * @param trailers the server's trailer, or its header when that was all it sent
 */
export function decodeStatus(trailers: readonly Header[], options: ViewOptions = {}): CallStatus {
  const raw = text(trailers, 'grpc-status');
  const code = raw !== undefined && /^\d{1,9}$/.test(raw) ? Number(raw) : -1;
  const details = text(trailers, 'grpc-status-details-bin');
  return {
    code,
    codeName: code < 0 ? 'MISSING' : codeName(code),
    message: percentDecoded(text(trailers, 'grpc-message') ?? ''),
    ...(details === undefined ? { details: [] } : detailsOf(details, new Budget(options))),
  };
}

/** How a call ended, in a form in which two ends that mean the same are equal. */
export function canonicalStatus(trailers: readonly Header[]): string {
  const details = text(trailers, 'grpc-status-details-bin');
  const status = details === undefined ? '' : wholeText('google.rpc.Status', Buffer.from(details, 'base64'));
  return [text(trailers, 'grpc-status') ?? '', percentDecoded(text(trailers, 'grpc-message') ?? ''), status].join('\n');
}
