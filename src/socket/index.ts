export { DEFAULT_BUILDKIT_ADDRESS, formatAddress, parseAddress, type Address } from './address.js';
export { listen, temporaryAddress, type Listener, type ListenOptions } from './listener.js';
