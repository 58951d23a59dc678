import { describe, expect, it } from 'vitest';
import { buildIdOf, sessionIdOf, solveFacts, statusRef } from '../../src/bridge/index.js';
import { encode, header } from './build.js';

describe('ids that a client makes up', () => {
  it('stand in headers: the build of a call, the session of a tunnel', () => {
    const headers = [header(':path', '/x'), header('buildkit-controlapi-buildid', 'b1'), header('x-docker-expose-session-uuid', 's1')];
    expect(buildIdOf(headers)).toBe('b1');
    expect(sessionIdOf(headers)).toBe('s1');
    expect(buildIdOf([])).toBeUndefined();
    expect(sessionIdOf([])).toBeUndefined();
  });

  it('stand in what Control is asked', () => {
    const request = { Ref: 'b1', Session: 's1', Frontend: 'dockerfile.v0', Internal: true, ExporterDeprecated: 'image', FrontendAttrs: { target: 'a' } };
    expect(solveFacts(encode('moby.buildkit.v1.SolveRequest', request))).toEqual({
      ref: 'b1',
      session: 's1',
      frontend: 'dockerfile.v0',
      hasDefinition: false,
      internal: true,
      exporters: ['image'],
      options: [['target', 'a']],
    });
    const later = { Ref: 'b1', Definition: {}, ExporterDeprecated: 'image', Exporters: [{ Type: 'image' }, { Type: 'local' }] };
    expect(solveFacts(encode('moby.buildkit.v1.SolveRequest', later))).toMatchObject({ hasDefinition: true, exporters: ['image', 'local'] });
    expect(statusRef(encode('moby.buildkit.v1.StatusRequest', { Ref: 'b1' }))).toBe('b1');
  });

  it('are undefined in bytes that are no such message', () => {
    expect(solveFacts(Buffer.from([0xff]))).toBeUndefined();
    expect(statusRef(Buffer.from([0xff]))).toBeUndefined();
  });
});
