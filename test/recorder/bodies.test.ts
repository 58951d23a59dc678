import { describe, expect, it } from 'vitest';

import { bodyPolicy } from '../../src/recorder/bodies.js';

const SESSION = '/moby.buildkit.v1.Control/Session';
const SOLVE = '/moby.buildkit.v1.frontend.LLBBridge/Solve';

describe('the bodies that a recording keeps', () => {
  it('are all but those of sessions, image content and traces', () => {
    const { keeps } = bodyPolicy();
    expect([SOLVE, '/moby.buildkit.v1.Control/Solve', '/grpc.health.v1.Health/Check', '/a.new.Service/Method', ''].map(keeps)).toEqual([true, true, true, true, true]);
    expect([SESSION, '/containerd.services.content.v1.Content/Read', '/opentelemetry.proto.collector.trace.v1.TraceService/Export'].map(keeps)).toEqual([false, false, false]);
  });

  it('can be fewer, or more, by pattern; what is asked for by name wins', () => {
    const { keeps, patterns } = bodyPolicy([SESSION], ['/moby.buildkit.v1.*']);
    expect(keeps(SESSION)).toBe(true);
    expect(keeps(SOLVE)).toBe(false);
    expect(patterns).toContain(`!${SESSION}`);
    expect(patterns).toContain('/moby.buildkit.v1.*');
  });

  it('are never matched by a part of a name, nor is a dot any character', () => {
    const { keeps } = bodyPolicy([], ['/a.b/C']);
    expect([keeps('/a.b/C'), keeps('/a.b/CC'), keeps('/axb/C')]).toEqual([false, true, true]);
  });

  it.each(['Session', '/Session', 'a.b/C', '/a/b/c', '/a b/c', ''])('refuse what is no method pattern: %j', (pattern) => {
    expect(() => bodyPolicy([], [pattern])).toThrow('no method pattern');
  });
});
