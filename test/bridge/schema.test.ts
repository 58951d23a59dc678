import { describe, expect, it } from 'vitest';
import { knownMethods, knownServices, methodOf } from '../../src/bridge/index.js';
import { bridge, control } from './build.js';

describe('methods', () => {
  it('knows the 17 of LLBBridge and the 9 of Control', () => {
    expect(knownMethods('moby.buildkit.v1.frontend.LLBBridge').map(({ name }) => name)).toEqual([
      'ResolveImageConfig',
      'ResolveSourceMeta',
      'Solve',
      'ReadFile',
      'ReadDir',
      'StatFile',
      'Evaluate',
      'Ping',
      'Return',
      'Inputs',
      'NewContainer',
      'ReleaseContainer',
      'ExecProcess',
      'ReadFileContainer',
      'ReadDirContainer',
      'StatFileContainer',
      'Warn',
    ]);
    expect(knownMethods('moby.buildkit.v1.Control')).toHaveLength(9);
  });

  it('tells types and streaming by path', () => {
    expect(methodOf(bridge('ExecProcess'))).toEqual({
      path: bridge('ExecProcess'),
      service: 'moby.buildkit.v1.frontend.LLBBridge',
      name: 'ExecProcess',
      requestType: 'moby.buildkit.v1.frontend.ExecMessage',
      responseType: 'moby.buildkit.v1.frontend.ExecMessage',
      clientStreaming: true,
      serverStreaming: true,
    });
    expect(methodOf(control('Status'))).toMatchObject({ clientStreaming: false, serverStreaming: true });
  });

  it('has nothing for what it does not know, JavaScript names included', () => {
    expect(methodOf('/moby.buildkit.v1.frontend.LLBBridge/Later')).toBeUndefined();
    expect(methodOf('')).toBeUndefined();
    expect(knownMethods('constructor')).toEqual([]);
    expect(knownServices()).toContain('grpc.health.v1.Health');
  });
});
