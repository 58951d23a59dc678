/**
 * What makes Docker's clients dial our socket. Without TLS: DOCKER_TLS_VERIFY and DOCKER_TLS would have them ask for it
 * there too.
 */
export function dockerVariables(address: string | undefined): Readonly<Record<string, string>> {
  return address === undefined ? {} : { DOCKER_HOST: address, DOCKER_TLS_VERIFY: '', DOCKER_TLS: '' };
}

/** Said of a listener, between its other addresses and what it does. */
export function dockerFront(address: string | undefined): string {
  return address === undefined ? '' : `for Docker's clients on ${address}, `;
}
