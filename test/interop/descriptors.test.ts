import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { expect, it } from 'vitest';
import { missing, type Rename, type Roots } from './descriptors/coverage.js';
import type { DescriptorSet } from './descriptors/descriptor-set.js';
import { buildKit, buildKitVersions, describeInterop, runCommand } from './harness/index.js';

/** All that a build's calls exchange, and all that a failing call's status can hold. */
const ROOTS: Roots = {
  services: ['.moby.buildkit.v1.frontend.LLBBridge', '.moby.buildkit.v1.Control', '.grpc.health.v1.Health'],
  messages: (name) => /^\.(errdefs|stack)\./.test(name) || name === '.google.rpc.Status',
};

const RENAMED: readonly Rename[] = [
  {
    message: '.pb.Position',
    number: 1,
    was: 'Line',
    is: 'line',
    reason: 'upper case until BuildKit left gogo/protobuf, whose Go names came straight from the field names',
  },
  { message: '.pb.Position', number: 2, was: 'Character', is: 'character', reason: 'as Line' },
  {
    message: '.moby.buildkit.v1.SolveRequest',
    number: 3,
    was: 'Exporter',
    is: 'ExporterDeprecated',
    reason: 'a build can have several exporters, in Exporters',
  },
  { message: '.moby.buildkit.v1.SolveRequest', number: 4, was: 'ExporterAttrs', is: 'ExporterAttrsDeprecated', reason: 'as Exporter' },
  {
    message: '.moby.buildkit.v1.BuildResultInfo',
    number: 1,
    was: 'Result',
    is: 'ResultDeprecated',
    reason: 'a build can have several results, in Results',
  },
  {
    message: '.moby.buildkit.v1.PruneRequest',
    number: 4,
    was: 'keepBytes',
    is: 'reservedSpace',
    reason: 'one of three limits since garbage collection has maxUsedSpace and minFreeSpace too',
  },
  { message: '.moby.buildkit.v1.types.GCPolicy', number: 3, was: 'keepBytes', is: 'reservedSpace', reason: 'as PruneRequest' },
];

function ourProto(): protobuf.Root {
  const folder = fileURLToPath(new URL('../../proto/', import.meta.url));
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => join(folder, target);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.proto'));
  root.loadSync(files, { keepCase: true }).resolveAll();
  return root;
}

async function theirs(version: string): Promise<DescriptorSet> {
  const { descriptors } = await buildKit(version);
  const { status, stdout, stderr } = await runCommand([descriptors]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout) as DescriptorSet;
}

describeInterop('proto/', () => {
  it.each(buildKitVersions())('covers every service, method, message, field and enum value that BuildKit %s is linked with', async (version) => {
    const found = missing(ourProto(), await theirs(version), ROOTS, RENAMED);
    expect(found.join('\n')).toBe('');
  });

  it('is told apart from what lacks a method, a field or a value', async () => {
    const [version = ''] = buildKitVersions();
    const ours = ourProto();
    ours.lookupService('moby.buildkit.v1.frontend.LLBBridge').remove(ours.lookup('moby.buildkit.v1.frontend.LLBBridge.ReadDir') as protobuf.Method);
    const meta = ours.lookupType('pb.Meta');
    meta.remove(meta.get('cwd') as protobuf.Field);
    const found = missing(ours, await theirs(version), ROOTS, RENAMED);
    expect(found).toEqual([
      'service .moby.buildkit.v1.frontend.LLBBridge: method ReadDir missing',
      'message .pb.Meta: field 3 cwd missing',
    ]);
  });
});
