export { DEFAULT_BUILDKIT_ADDRESS, formatAddress, parseAddress, type Address } from './address.js';
export { overTls, type TlsFiles } from './tls.js';
export { listen, temporaryAddress, type Listener, type ListenOptions } from './listener.js';
