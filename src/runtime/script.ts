/**
 * The executable that BuildKit runs in the place of runc: a shell script, because it decides for every call, and a
 * shell starts in a millisecond. It hands all but a frontend's `run` to the runtime at once, by exec: arguments,
 * signals, exit status, file descriptors and stdio are then the runtime's own.
 */

export interface RuntimeScript {
  /** What made it, e.g. `bridgetape 0.1.0`. */
  readonly tool: string;
  /** Where the cassettes go. These are all absolute paths. */
  readonly folder: string;
  readonly runc: string;
  readonly node: string;
  /** What Node runs for a frontend. */
  readonly recorder: string;
}

/** The second line of every such script begins with this. */
const MARK = '# An OCI runtime for BuildKit that records container frontends; made by ';

/** @param head the file's first bytes, as text */
export function isRuntimeScript(head: string): boolean {
  return head.split('\n', 2)[1]?.startsWith(MARK) === true;
}

/** So many bytes of a file tell whether it is such a script. */
export const SCRIPT_HEAD = 256;

/** Any text as one word of a shell's. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * What it looks at, cheapest first: a frontend is talked to on stdin, so that is a pipe (or a socket), which it is for
 * no RUN step; the subcommand is `run`, not detached; the bundle names a session. Whether it is a frontend then, Node
 * says, from the parsed bundle. Names are long because those that the environment has would be changed in it.
 *
 * Everything that can keep Node from recording is looked for first: behind the last exec there is no way back.
 */
export function runtimeScript({ tool, folder, runc, node, recorder }: RuntimeScript): string {
  return `#!/bin/sh
${MARK}${tool} (bridgetape runtime).
bridgetape_runc=${quoted(runc)}
bridgetape_node=${quoted(node)}
bridgetape_recorder=${quoted(recorder)}
bridgetape_folder=${quoted(folder)}

[ -p /proc/self/fd/0 ] || [ -S /proc/self/fd/0 ] || exec "$bridgetape_runc" "$@"

bridgetape_command='' bridgetape_bundle=. bridgetape_value=''
for bridgetape_word do
  case $bridgetape_value in
    bundle) bridgetape_bundle=$bridgetape_word bridgetape_value='' && continue ;;
    other) bridgetape_value='' && continue ;;
  esac
  case $bridgetape_command$bridgetape_word in
    --log | --log-format | --root | --criu | --rootless | --cgroup-manager) bridgetape_value=other ;;
    -*) ;;
    run-b | run--bundle) bridgetape_value=bundle ;;
    run-b=* | run--bundle=*) bridgetape_bundle=\${bridgetape_word#*=} ;;
    run--pid-file | run--preserve-fds | run--pidfd-socket) bridgetape_value=other ;;
    run-d | run--detach | run--detach=* | run--console-socket | run--console-socket=*) exec "$bridgetape_runc" "$@" ;;
    run) bridgetape_command=run ;;
    run*) ;;
    *) exec "$bridgetape_runc" "$@" ;;
  esac
done
[ "$bridgetape_command" = run ] && [ -f "$bridgetape_bundle/config.json" ] || exec "$bridgetape_runc" "$@"

grep -q '"BUILDKIT_SESSION_ID=' "$bridgetape_bundle/config.json" 2>/dev/null
case $? in
  0) bridgetape_reason='' ;;
  1) exec "$bridgetape_runc" "$@" ;;
  *) bridgetape_reason="grep cannot look into $bridgetape_bundle/config.json" ;;
esac
if [ -n "$bridgetape_reason" ]; then :
elif ! [ -x "$bridgetape_node" ]; then bridgetape_reason="Node is not at $bridgetape_node any more"
elif ! [ -r "$bridgetape_recorder" ]; then bridgetape_reason="bridgetape is not at $bridgetape_recorder any more"
elif ! [ -d "$bridgetape_folder" ]; then bridgetape_reason="there is no folder $bridgetape_folder"
elif ! [ -w "$bridgetape_folder" ]; then bridgetape_reason="the folder $bridgetape_folder cannot be written to"
elif ! "$bridgetape_node" --version </dev/null >/dev/null 2>&1; then bridgetape_reason="Node at $bridgetape_node does not start"
fi
if [ -n "$bridgetape_reason" ]; then
  (printf 'bridgetape: this frontend runs, but it is not recorded: %s. Make the runtime again: bridgetape runtime --dir DIR --install PATH\\n' "$bridgetape_reason" >&2)
  exec "$bridgetape_runc" "$@"
fi

# Descriptors beyond stdio that this call was given, but for the one that the shell reads this file from.
bridgetape_given=''
for bridgetape_word in /proc/self/fd/*; do
  case \${bridgetape_word##*/} in
    [012]) ;;
    *) [ ! -e "$bridgetape_word" ] || [ "$bridgetape_word" -ef "$0" ] 2>/dev/null || bridgetape_given=$bridgetape_given,\${bridgetape_word##*/} ;;
  esac
done
exec "$bridgetape_node" "$bridgetape_recorder" "$bridgetape_folder" "$bridgetape_bundle" "$bridgetape_given" "$bridgetape_runc" "$@"
`;
}
