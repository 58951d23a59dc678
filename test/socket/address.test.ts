import { describe, expect, it } from 'vitest';

import { formatAddress, parseAddress, parseSocketAddress } from '../../src/socket/index.js';

describe('an address', () => {
  it.each([
    ['unix:///run/buildkit/buildkitd.sock', { kind: 'unix', path: '/run/buildkit/buildkitd.sock' }],
    ['unix://relative.sock', { kind: 'unix', path: 'relative.sock' }],
    ['tcp://127.0.0.1:1234', { kind: 'tcp', host: '127.0.0.1', port: 1234 }],
    ['tcp://[::1]:1234', { kind: 'tcp', host: '::1', port: 1234 }],
  ] as const)('is read and written as buildctl has it: %s', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
    expect(formatAddress(parseAddress(text))).toBe(text);
  });

  it.each([
    ['/run/buildkit/buildkitd.sock', 'it has no scheme'],
    ['unix://', 'the socket path is empty'],
    [`unix:///${'x'.repeat(107)}`, 'the socket path has 108 bytes'],
    ['tcp://localhost', 'what follows tcp:// is not host:port'],
    ['tcp://localhost:70000', '70000 is no port'],
    ['npipe:////./pipe/buildkitd', 'npipe:// is for Windows only'],
    ['docker-container://', 'it names no container'],
    ['podman-container://', 'it names no container'],
    ['nerdctl-container://?namespace=a', 'it names no container'],
    ['kube-pod://?container=a', 'it names no pod'],
    ['kube-pod://under_score', '"under_score" is no name that Kubernetes knows'],
    ['kube-pod://pod?namespace=a%20b', '"a b" is no name that Kubernetes knows'],
    ['ssh://', 'it names no host'],
    ['ssh://me:secret@host', 'a password does not belong in it'],
    ['ssh://host?a=b', 'it goes on behind the path'],
    ['ssh://host#a', 'it goes on behind the path'],
    ['ssh://host:ssh', 'its host is not followed by a port'],
    ['ssh://[::g]', 'what is in brackets is no IPv6 address'],
    ['ssh://host/%zz', 'it has a % that is no escape'],
    ['ssh://host/%00', 'it holds a NUL byte'],
    ['ssh://ho st', 'its host is none'],
    ['ssh://host\n', 'it holds a control character'],
    ['http://localhost:80', 'http:// is not a scheme'],
    ['', 'it has no scheme'],
  ])('that cannot be used says why: %s', (text, why) => {
    expect(() => parseAddress(text)).toThrow(why);
  });

  it('of a unix socket can do without slashes, as for buildctl', () => {
    expect(parseAddress('unix:/run/a.sock')).toEqual({ kind: 'unix', path: '/run/a.sock' });
  });

  // BuildKit's own commands: test/interop/helpers.test.ts compares them with what buildctl runs.
  it.each([
    ['docker-container://buildkitd', 'docker exec -i buildkitd buildctl dial-stdio'],
    ['docker-container://buildkitd?context=far', 'docker --context=far exec -i buildkitd buildctl dial-stdio'],
    ['podman-container://buildkitd', 'podman exec -i buildkitd buildctl dial-stdio'],
    ['nerdctl-container://buildkitd?namespace=k8s.io', 'nerdctl exec --namespace k8s.io -i buildkitd buildctl dial-stdio'],
    ['kube-pod://pod-0', 'kubectl --context= --namespace= exec --container= -i pod-0 -- buildctl dial-stdio'],
    ['KUBE-POD://p?container=c&namespace=n&context=me@far', 'kubectl --context=me@far --namespace=n exec --container=c -i p -- buildctl dial-stdio'],
    ['ssh://host', 'ssh -- host buildctl dial-stdio'],
    ['ssh://me@host:22/run/b.sock', 'ssh -l me -p 22 -- host buildctl --addr unix:///run/b.sock dial-stdio'],
    ['ssh://[fe80::1%25eth0]', 'ssh -- fe80::1%eth0 buildctl dial-stdio'],
  ])('%s stands for a command', (text, command) => {
    const address = parseAddress(text);
    if (address.kind !== 'helper') throw new Error('a helper is asked for');
    expect(address.command.join(' ')).toBe(command);
    expect(formatAddress(address)).toBe(text);
    expect(() => parseSocketAddress(text)).toThrow('nobody can listen there');
  });

  it('does not say a password again', () => {
    expect(() => parseAddress('ssh://me:secret@host')).toThrow(/^(?![^]*secret)/);
  });
});
