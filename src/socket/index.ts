export { absolute, checkAddress, DEFAULT_BUILDKIT_ADDRESS, formatAddress, parseAddress, parseSocketAddress, type Address, type HelperAddress, type SocketAddress } from './address.js';
export type { Command } from './helper-url.js';
export { DEFAULT_DOCKER_SOCKET, dockerHost, type DockerHost } from './docker-host.js';
export { listen, temporaryAddress, type Listener, type ListenOptions } from './listener.js';
export { tlsClient, type TlsClient, type TlsClientOptions } from './tls-client.js';
export { closeOnError, isTlsError, tlsReason } from './tls-reason.js';
export type { TlsFiles } from './tls-server.js';
