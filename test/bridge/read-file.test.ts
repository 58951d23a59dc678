import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentsAnswer, fileRequest, statAnswer } from '../../src/bridge/index.js';
import { bridge, encode, FRONTEND, root, type Fields } from './build.js';

const read = (fields: Fields): ReturnType<typeof fileRequest> => fileRequest(bridge('ReadFile'), encode(`${FRONTEND}.ReadFileRequest`, fields));
const decoded = (type: string, bytes: Uint8Array): Record<string, unknown> => {
  const lookedUp = root.lookupType(`${FRONTEND}.${type}`);
  return lookedUp.toObject(lookedUp.decode(bytes), { longs: Number, bytes: String });
};

const base64 = (data: Uint8Array | string): string => Buffer.from(data).toString('base64');

describe('a request about a file', () => {
  it('says which file of which result, and how much of it', () => {
    expect(read({ Ref: 'r', FilePath: 'Dockerfile' })).toEqual({ asks: 'contents', ref: 'r', name: 'Dockerfile', range: undefined });
    expect(read({ Ref: 'r', FilePath: '/a/b', Range: { Offset: 3, Length: 4 } })).toMatchObject({ name: 'a/b', range: { offset: 3, length: 4 } });
    expect(fileRequest(bridge('StatFile'), encode(`${FRONTEND}.StatFileRequest`, { Ref: 'r', Path: './a' }))).toMatchObject({ asks: 'stat', name: 'a' });
  });

  it('is none of another method, and none of bytes that are no message', () => {
    expect(fileRequest(bridge('ReadDir'), encode(`${FRONTEND}.ReadDirRequest`, { DirPath: '/' }))).toBeUndefined();
    expect(fileRequest(bridge('ReadFile'), Buffer.from([0xff]))).toBeUndefined();
  });
});

describe('the answer about a file', () => {
  it('holds so much of the contents as was asked for', () => {
    const contents = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(contents, fc.nat(400), fc.nat(400), (data, offset, length) => {
        expect(decoded('ReadFileResponse', contentsAnswer(data, { offset, length }))['Data'] ?? '').toBe(base64(data.slice(offset, offset + length)));
      }),
    );
    expect(decoded('ReadFileResponse', contentsAnswer(Buffer.from('all of it'), undefined))).toEqual({ Data: base64('all of it') });
    expect(decoded('ReadFileResponse', contentsAnswer(Buffer.from('abc'), { offset: -2, length: 2 }))).toEqual({ Data: base64('ab') });
  });

  it('keeps all that was recorded of it but the size', () => {
    const before = encode(`${FRONTEND}.StatFileResponse`, { stat: { path: 'a', mode: 0o755, uid: 7, size: 5, modTime: 12345, xattrs: { k: Buffer.from('v') } } });
    expect(decoded('StatFileResponse', statAnswer('a', 70_000, before))).toEqual({ stat: { path: 'a', mode: 0o755, uid: 7, size: 70_000, modTime: 12345, xattrs: { k: base64('v') } } });
  });

  it('is that of a plain file where none was recorded', () => {
    for (const before of [undefined, Buffer.from([0xff]), new Uint8Array()]) expect(decoded('StatFileResponse', statAnswer('x/a', 3, before))).toEqual({ stat: { path: 'a', mode: 0o644, size: 3 } });
  });
});
