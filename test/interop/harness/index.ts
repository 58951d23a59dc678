// Real BuildKit for tests: its binaries, daemons, a loopback registry, and a frontend of our own; and real gRPC clients.
export { interopReason } from './availability.js';
export { buildAll, buildKit, buildKitVersions, buildx, FRONTEND_VERSIONS, goFrontend, type BuildKit } from './binaries.js';
export { bridgetape, bridgetapeOffline, buildBridgetape, listening, startBridgetape, type Listening } from './bridgetape.js';
export { busyboxDir, pushBaseImage } from './busybox.js';
export { clientCommand, startEchoServer, STACKS, type EchoServer, type StackName } from './clients.js';
export { runCommand, startCommand, CommandError, type CommandOptions, type CommandResult, type RunningCommand } from './command.js';
export { startDaemon, type Daemon, type DaemonOptions } from './daemon.js';
export { conformanceProgram } from './conformance.js';
export { describeClients, describeConformance, describeInterop } from './describe-interop.js';
export { serveFile, type FileServer } from './file-server.js';
export { pushFrontendImage } from './frontend-image.js';
export { startHashingRelay, type HashingRelay, type RelayedConnection, type Witnessed } from './hashing-relay.js';
export { progressLines, type ProgressOptions } from './progress-lines.js';
export { FAILING, MULTI_STAGE, recipe, type Recipe } from './recipe.js';
export { standIns, type StandIns } from './stand-in.js';
export { startRegistry, type Registry } from './registry.js';
export { ownWords, shortMethod, shown, shownEvents, withoutOwnWords, type Shown, type ShownCall, type ShownCassette, type ShownEvent } from './shown.js';
export { temporaryFolder, type TemporaryFolder } from './temporary-folder.js';
