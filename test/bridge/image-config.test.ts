import { describe, expect, it } from 'vitest';
import { asSourceMetaRequest, asSourceMetaResponse, canonicalMessage } from '../../src/bridge/index.js';
import { encode, FRONTEND } from './build.js';

const asked = { Ref: 'docker.io/library/busybox:latest', Platform: { Architecture: 'amd64', OS: 'linux' }, ResolveMode: 'pull', LogName: 'load metadata' };
const fields = (type: string, bytes: Uint8Array): ReadonlyMap<string, string> => new Map(canonicalMessage(`${FRONTEND}.${type}`, bytes, new Map()).fields);

describe('a ResolveImageConfig written as a ResolveSourceMeta', () => {
  it('asks for the same image of a registry', () => {
    const respelled = asSourceMetaRequest(encode(`${FRONTEND}.ResolveImageConfigRequest`, asked));
    const newer = encode(`${FRONTEND}.ResolveSourceMetaRequest`, { Platform: asked.Platform, ResolveMode: asked.ResolveMode, LogName: asked.LogName, Source: { identifier: 'docker-image://docker.io/library/busybox:latest' } });
    expect(fields('ResolveSourceMetaRequest', respelled)).toEqual(fields('ResolveSourceMetaRequest', newer));
  });

  it('asks for the same OCI layout of the client', () => {
    const respelled = asSourceMetaRequest(encode(`${FRONTEND}.ResolveImageConfigRequest`, { Ref: 'docker.io/library/x:latest', ResolverType: 1, SessionID: 'session', StoreID: 'store' }));
    const newer = encode(`${FRONTEND}.ResolveSourceMetaRequest`, { Source: { identifier: 'oci-layout://docker.io/library/x:latest', attrs: { 'oci.session': 'session', 'oci.store': 'store' } } });
    expect(fields('ResolveSourceMetaRequest', respelled)).toEqual(fields('ResolveSourceMetaRequest', newer));
  });

  it('answers the same, with the reference that was asked for where the answer has none', () => {
    const request = encode(`${FRONTEND}.ResolveImageConfigRequest`, asked);
    const image = { Digest: `sha256:${'0'.repeat(64)}`, Config: Buffer.from('{"os":"linux"}') };
    const respelled = asSourceMetaResponse(encode(`${FRONTEND}.ResolveImageConfigResponse`, image), request);
    const newer = encode(`${FRONTEND}.ResolveSourceMetaResponse`, { Source: { identifier: `docker-image://${asked.Ref}` }, Image: image });
    expect(fields('ResolveSourceMetaResponse', respelled)).toEqual(fields('ResolveSourceMetaResponse', newer));
  });

  it('keeps fields that are newer than proto/', () => {
    const unknown = Buffer.from([0xc2, 0x3e, 1, 0x41]);
    const respelled = asSourceMetaRequest(Buffer.concat([encode(`${FRONTEND}.ResolveImageConfigRequest`, asked), unknown]));
    expect([...fields('ResolveSourceMetaRequest', respelled).keys()]).toContain('#1000[0]');
  });

  it('leaves bytes that are no such message as they are', () => {
    const bytes = Buffer.from([0xff]);
    expect(asSourceMetaRequest(bytes)).toBe(bytes);
    expect(asSourceMetaResponse(bytes, bytes)).toBe(bytes);
  });
});
