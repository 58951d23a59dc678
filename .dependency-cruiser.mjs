// The floors of ARCHITECTURE.md: what may import what. One way through the house, no way back.
const ground = ['wire', 'cassette', 'bridge', 'socket'];

/** @param {string} from @param {string[]} may */
const floor = (from, may) => ({
  name: `floor-${from}`,
  comment: `src/${from} may import only ${may.length > 0 ? may.join(', ') : 'nothing'} of the project, and those through their index`,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: { path: '^src/', pathNot: [`^src/${from}/`, '^src/(errors|version|quantity|passing)\\.ts$', ...may.map((folder) => `^src/${folder}/index\\.ts$`)] },
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    ...ground.map((name) => floor(name, [])),
    floor('proxy', ['socket']),
    floor('command', []),
    floor('config', ['bridge']),
    floor('recorder', [...ground, 'proxy']),
    floor('runtime', [...ground, 'proxy', 'recorder', 'command']),
    floor('replayer', ground),
    floor('driver', ground),
    floor('mode', [...ground, 'recorder', 'replayer']),
    floor('vitest', [...ground, 'replayer', 'mode']),
    floor('frontend', [...ground, 'replayer', 'command']),
    floor('demo', [...ground, 'proxy', 'recorder', 'replayer', 'driver', 'view']),
    floor('view', ground),
    floor('compare', [...ground, 'recorder', 'runtime', 'command', 'diff', 'view']),
    floor('diff', [...ground, 'view']),
    floor('text', ground),
    floor('git', []),
    {
      name: 'grpc-js-drives-and-does-not-serve',
      comment: 'grpc-js is the client that drives a recording (src/driver); nothing else knows it',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/driver/' },
      to: { path: '@grpc/grpc-js' },
    },
    {
      name: 'pure-ground-floor',
      comment: 'wire and bridge do no I/O: no files, no sockets, no processes',
      severity: 'error',
      from: { path: '^src/(wire|bridge)/' },
      to: { path: '^(node:)?(fs|net|http|http2|tls|child_process|os)(/|$)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
