/**
 * A container frontend gets its options in environment variables, one each: BUILDKIT_FRONTEND_OPT_<n>=key=value, in no
 * order that means anything. Read as BuildKit's frontends read them (frontend/gateway/grpcclient/client.go): whatever
 * stands behind the prefix, and an option without a value has the empty one.
 */

const PREFIX = 'BUILDKIT_FRONTEND_OPT_';

export interface FrontendOption {
  /** The name of its variable. */
  readonly variable: string;
  readonly key: string;
  readonly value: string;
}

/** @param environment `NAME=value`, each */
export function frontendOptions(environment: readonly string[]): FrontendOption[] {
  return environment
    .filter((entry) => entry.startsWith(PREFIX))
    .map((entry) => {
      const { before: variable, behind: option } = splitAtEquals(entry);
      const { before: key, behind: value } = splitAtEquals(option);
      return { variable, key, value };
    });
}

function splitAtEquals(text: string): { readonly before: string; readonly behind: string } {
  const at = text.indexOf('=');
  return at === -1 ? { before: text, behind: '' } : { before: text.slice(0, at), behind: text.slice(at + 1) };
}
