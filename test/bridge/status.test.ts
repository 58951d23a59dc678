import { describe, expect, it } from 'vitest';
import { canonicalStatus, pairIds } from '../../src/bridge/index.js';
import { encode, header, id, type Fields } from './build.js';

const trailers = (code: number, message: string, details: readonly Fields[] = []): ReturnType<typeof header>[] => [
  header('grpc-status', String(code)),
  header('grpc-message', message),
  ...(details.length > 0 ? [header('grpc-status-details-bin', Buffer.from(encode('google.rpc.Status', { code, message, details })).toString('base64'))] : []),
];
const detail = (name: string, json: unknown): Fields => ({ type_url: `github.com/moby/buildkit/${name}+json`, value: Buffer.from(JSON.stringify(json)) });

describe('two ends of a call', () => {
  it('are alike whatever their headers and the stack of the daemon', () => {
    const one = [...trailers(2, 'no', [detail('stack.Stack', { pid: 1 }), detail('errdefs.Vertex', { digest: 'd' })]), header('date', 'today')];
    expect(canonicalStatus(one)).toBe(canonicalStatus(trailers(2, 'no', [detail('errdefs.Vertex', { digest: 'd' })])));
  });

  it.each([
    ['code', trailers(2, 'no'), trailers(3, 'no')],
    ['message', trailers(2, 'no'), trailers(2, 'never')],
    ['details', trailers(2, 'no', [detail('errdefs.Vertex', { digest: 'd' })]), trailers(2, 'no', [detail('errdefs.Vertex', { digest: 'e' })])],
  ])('differ in their %s', (_what, one, other) => {
    expect(canonicalStatus(one)).not.toBe(canonicalStatus(other));
  });

  it('have their ids in the same places', () => {
    const end = (ref: string): string => canonicalStatus(trailers(2, `no%0A${ref}`, [detail('errdefs.Solve', { inputIDs: [`worker::${ref}`] })]));
    expect(pairIds(end(id('a')), end(id('b')))).toEqual(new Map([[id('a'), id('b')]]));
  });
});
