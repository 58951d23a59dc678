export { startProxy, type Proxy, type ProxyOptions } from './proxy.js';
export type { ConnectionTap, Side, Tap } from './tap.js';
export { joinStdio, type ChildStdio, type Stdio } from './stdio.js';
