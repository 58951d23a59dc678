/**
 * ResolveImageConfig and ResolveSourceMeta are one thing in two spellings: from v0.13 on BuildKit's Go clients send what they
 * sent in the first as the second (frontend/gateway/grpcclient/client.go). Messages of the first, written as the second.
 */
import { BRIDGE } from './methods.js';
import { bytesFieldOf, numberField, stringField, tryDecode } from './message.js';
import { bytesField, concat, fieldExtents, WireFormatError } from './wire-format.js';

export const RESOLVE_IMAGE_CONFIG = `${BRIDGE}ResolveImageConfig`;
export const RESOLVE_SOURCE_META = `${BRIDGE}ResolveSourceMeta`;

const FRONTEND = 'moby.buildkit.v1.frontend';
/** sourceresolver.ResolverTypeOCILayout (client/llb/sourceresolver/types.go). */
const OCI_LAYOUT = 1;

const text = (number: number, value: string): readonly Uint8Array[] => (value === '' ? [] : [bytesField(number, Buffer.from(value))]);
const entry = (key: string, value: string): readonly Uint8Array[] => (value === '' ? [] : [bytesField(2, concat([bytesField(1, Buffer.from(key)), bytesField(2, Buffer.from(value))]))]);

/** Field numbers of a ResolveImageConfigRequest that a ResolveSourceMetaRequest does not have in the same way. */
const RESPELLED: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7]);

/**
 * A ResolveImageConfigRequest as the ResolveSourceMetaRequest that asks for the same. (Go clients leave the resolve mode out
 * of that.)
 *
 * @returns the bytes themselves when they are no such request
 */
export function asSourceMetaRequest(payload: Uint8Array): Uint8Array {
  const request = tryDecode(`${FRONTEND}.ResolveImageConfigRequest`, payload);
  if (request instanceof WireFormatError) return payload;
  const ref = stringField(request, 'Ref');
  const isLayout = numberField(request, 'ResolverType') === OCI_LAYOUT;
  const source = concat([
    bytesField(1, Buffer.from(`${isLayout ? 'oci-layout' : 'docker-image'}://${ref}`)),
    ...(isLayout ? [...entry('oci.session', stringField(request, 'SessionID')), ...entry('oci.store', stringField(request, 'StoreID'))] : []),
  ]);
  const extents = fieldExtents(payload);
  const raw = (numbers: (number: number) => boolean): readonly Uint8Array[] => extents.filter(({ field }) => numbers(field.number)).map(({ start, end }) => payload.subarray(start, end));
  return concat([bytesField(1, source), ...raw((number) => number === 2), ...text(3, stringField(request, 'LogName')), ...text(4, stringField(request, 'ResolveMode')), ...raw((number) => !RESPELLED.has(number))]);
}

/**
 * A ResolveImageConfigResponse as the ResolveSourceMetaResponse that says the same.
 *
 * @param request the ResolveImageConfigRequest: up to v0.11 its reference is not in the answer
 * @returns the bytes themselves when they are no such answer
 */
export function asSourceMetaResponse(payload: Uint8Array, request: Uint8Array): Uint8Array {
  const answer = tryDecode(`${FRONTEND}.ResolveImageConfigResponse`, payload);
  const asked = tryDecode(`${FRONTEND}.ResolveImageConfigRequest`, request);
  if (answer instanceof WireFormatError || asked instanceof WireFormatError) return payload;
  const isLayout = numberField(asked, 'ResolverType') === OCI_LAYOUT;
  const ref = stringField(answer, 'Ref') || stringField(asked, 'Ref');
  const source = bytesField(1, Buffer.from(`${isLayout ? 'oci-layout' : 'docker-image'}://${ref}`));
  const image = concat([...text(1, stringField(answer, 'Digest')), bytesField(2, bytesFieldOf(answer, 'Config'))]);
  return concat([bytesField(1, source), bytesField(2, image), ...fieldExtents(payload).filter(({ field }) => field.number > 3).map(({ start, end }) => payload.subarray(start, end))]);
}
