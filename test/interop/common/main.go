// Command common is one build function in what BuildKit's Go clients since v0.13
// have in common, so that one source is built against several of them (a .mod
// file each): they then ask one daemon for the same, each in its own words. It
// prints what it was answered, without times and made-up ids.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/buildkit/solver/pb"
	"github.com/tonistiigi/fsutil"
	fstypes "github.com/tonistiigi/fsutil/types"
)

var longAgo = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)

// steps are the parts of a build, in their order.
var steps = []struct {
	name string
	run  func(context.Context, *run) error
}{
	{"inputs", inputs}, {"files", files}, {"graph", graph}, {"secret", secret}, {"locals", locals}, {"image", image},
	{"failure", failure}, {"dockerfile", dockerfile}, {"warning", warning}, {"container", container},
}

type run struct {
	gw    gateway.Client
	image string
}

func main() {
	busybox := flag.String("busybox-dir", "", "folder holding a static `busybox`")
	image := flag.String("image", "", "HOST/NAME:TAG of an image to resolve")
	names := flag.String("steps", "", "`names` of the steps to make, with commas")
	flag.Parse()
	if err := build(*busybox, *image, strings.Split(*names, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "common:", err)
		os.Exit(1)
	}
}

func build(busybox, image string, names []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c, err := client.New(ctx, os.Getenv("BUILDKIT_HOST"))
	if err != nil {
		return err
	}
	defer c.Close()
	dir, err := fsutil.NewFS(busybox)
	if err != nil {
		return err
	}
	recipe := llb.Scratch().File(llb.Mkfile("/recipe", 0o644, []byte("FROM inputs\n"), llb.WithCreatedTime(longAgo)))
	opt := client.SolveOpt{
		FrontendAttrs:  map[string]string{"one": "1", "two": "2", "three": "3"},
		FrontendInputs: map[string]llb.State{"recipe": recipe, "empty": llb.Scratch().File(llb.Mkdir("/nothing", 0o755))},
		LocalMounts:    map[string]fsutil.FS{"busybox": dir},
		Session:        []session.Attachable{secretsprovider.FromMap(map[string][]byte{"greeting": []byte("hush-hush")})},
	}
	_, err = c.Build(ctx, opt, "bridgetape-common", func(ctx context.Context, gw gateway.Client) (*gateway.Result, error) {
		r := &run{gw: gw, image: image}
		for _, s := range steps {
			if !slices.Contains(names, s.name) {
				continue
			}
			say("== %s", s.name)
			if err := s.run(ctx, r); err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
		}
		ref, err := r.solve(ctx, r.busybox())
		if err != nil {
			return nil, err
		}
		res := gateway.NewResult()
		res.SetRef(ref)
		res.AddMeta("zwei", []byte("2"))
		res.AddMeta("eins", []byte{0, 1, 0xff})
		return res, nil
	}, nil)
	return err
}

// What names a folder of the daemon's, or an id that was made up.
var passing = regexp.MustCompile(`(/[^ "]*/)?buildkit-mount[0-9]+|\b[0-9a-z]{25}\b|sha256:[0-9a-f]{64}`)

func say(format string, args ...any) {
	fmt.Println(passing.ReplaceAllString(fmt.Sprintf(format, args...), "<…>"))
}

// busybox is /bin/busybox and little else.
func (r *run) busybox() llb.State {
	from := llb.Local("busybox",
		llb.SessionID(r.gw.BuildOpts().SessionID),
		llb.SharedKeyHint("busybox"),
		llb.IncludePatterns([]string{"busybox"}),
		llb.WithCustomName("send busybox"))
	return llb.Scratch().
		File(llb.Mkdir("/bin", 0o755, llb.WithCreatedTime(longAgo)).Mkdir("/tmp", 0o777, llb.WithCreatedTime(longAgo)), llb.WithCustomName("make root")).
		File(llb.Copy(from, "/busybox", "/bin/busybox", llb.WithCreatedTime(longAgo)), llb.WithCustomName("copy busybox"))
}

func script(text string) llb.RunOption {
	return llb.Args([]string{"/bin/busybox", "sh", "-c", text})
}

func (r *run) marshal(ctx context.Context, st llb.State) (*pb.Definition, error) {
	def, err := st.Marshal(ctx, llb.WithCaps(r.gw.BuildOpts().LLBCaps))
	if err != nil {
		return nil, err
	}
	return def.ToPB(), nil
}

func (r *run) solve(ctx context.Context, st llb.State) (gateway.Reference, error) {
	def, err := r.marshal(ctx, st)
	if err != nil {
		return nil, err
	}
	res, err := r.gw.Solve(ctx, gateway.SolveRequest{Definition: def, Evaluate: true})
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}

// show reads files of what a state makes.
func (r *run) show(ctx context.Context, st llb.State, paths ...string) error {
	ref, err := r.solve(ctx, st)
	if err != nil {
		return err
	}
	entries, err := ref.ReadDir(ctx, gateway.ReadDirRequest{Path: "/"})
	if err != nil {
		return err
	}
	for _, entry := range entries {
		say("  %s", described(entry))
	}
	for _, path := range paths {
		dt, err := ref.ReadFile(ctx, gateway.ReadRequest{Filename: path})
		say("  %s %q %v", path, dt, err)
	}
	return nil
}

func described(st *fstypes.Stat) string {
	return fmt.Sprintf("%s %s %d:%d", st.Path, os.FileMode(st.Mode), st.Uid, st.Gid)
}

func inputs(ctx context.Context, r *run) error {
	states, err := r.gw.Inputs(ctx)
	if err != nil {
		return err
	}
	say("  %d", len(states))
	return r.show(ctx, states["recipe"], "/recipe")
}

// files: a result that is lazy until it is evaluated, and reads that succeed and that fail.
func files(ctx context.Context, r *run) error {
	st := llb.Scratch().File(
		llb.Mkdir("/docs", 0o755, llb.WithCreatedTime(longAgo)).
			Mkfile("/docs/a.txt", 0o644, []byte("alpha\n"), llb.WithCreatedTime(longAgo)).
			Mkfile("/docs/b.txt", 0o600, []byte("beta\n"), llb.WithCreatedTime(longAgo), llb.WithUIDGID(1000, 1000)),
		llb.WithCustomName("make docs"), llb.WithDescription(map[string]string{"why": "to be read", "by": "us"}))
	def, err := r.marshal(ctx, st)
	if err != nil {
		return err
	}
	res, err := r.gw.Solve(ctx, gateway.SolveRequest{Definition: def})
	if err != nil {
		return err
	}
	ref, err := res.SingleRef()
	if err != nil {
		return err
	}
	if err := ref.Evaluate(ctx); err != nil {
		return err
	}
	part, err := ref.ReadFile(ctx, gateway.ReadRequest{Filename: "/docs/a.txt", Range: &gateway.FileRange{Offset: 1, Length: 3}})
	say("  %q %v", part, err)
	_, err = ref.ReadFile(ctx, gateway.ReadRequest{Filename: "/docs/none"})
	say("  %v", err)
	stat, err := ref.StatFile(ctx, gateway.StatRequest{Path: "/docs/b.txt"})
	if err != nil {
		return err
	}
	say("  %s", described(stat))
	found, err := ref.ReadDir(ctx, gateway.ReadDirRequest{Path: "/docs", IncludePattern: "b*"})
	say("  %d %v", len(found), err)
	state, err := ref.ToState()
	if err != nil {
		return err
	}
	return r.show(ctx, state.File(llb.Rm("/docs/a.txt")).File(llb.Mkfile("/new", 0o644, nil, llb.WithCreatedTime(longAgo))))
}

// graph: every kind of op, with all that maps and lists can be in one.
func graph(ctx context.Context, r *run) error {
	source := llb.NewSourceMap(nil, "graph.recipe", "recipe", []byte("first\nsecond\n"))
	made := r.busybox().AddEnv("COLOUR", "green").AddEnv("SHAPE", "round").Dir("/tmp").User("0:0").Hostname("here").AddExtraHost("there", []byte{127, 0, 0, 2}).Run(
		script("echo $COLOUR $SHAPE > /out/env; ls /in > /out/in"),
		llb.AddMount("/in", r.busybox(), llb.Readonly, llb.SourcePath("/bin")),
		llb.AddMount("/scratch", llb.Scratch(), llb.Tmpfs(llb.TmpfsSize(1<<20))),
		llb.AddMount("/cache", llb.Scratch(), llb.AsPersistentCacheDir("cache", llb.CacheMountPrivate)),
		llb.Network(llb.NetModeNone),
		llb.IgnoreCache,
		llb.WithCustomName("run"),
		llb.ProgressGroup("group", "a group", false),
		source.Location(ranges(2)),
	)
	out := made.AddMount("/out", llb.Scratch())
	merged := llb.Merge([]llb.State{out, llb.Diff(r.busybox(), r.busybox().File(llb.Mkfile("/more", 0o644, []byte("more\n"), llb.WithCreatedTime(longAgo))))})
	return r.show(ctx, merged, "/env", "/in", "/more")
}

// ranges by way of JSON: what Position is a pointer to in one version is a value in another.
func ranges(line int) []*pb.Range {
	var found []*pb.Range
	text := fmt.Sprintf(`[{"start":{"line":%d,"character":1},"end":{"line":%d,"character":4}}]`, line, line)
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		panic(err)
	}
	return found
}

func secret(ctx context.Context, r *run) error {
	made := r.busybox().Run(script("cat /run/secrets/greeting > /out/secret"), llb.AddSecret("/run/secrets/greeting", llb.SecretID("greeting")))
	return r.show(ctx, made.AddMount("/out", llb.Scratch()), "/secret")
}

func locals(ctx context.Context, r *run) error {
	st := llb.Local("busybox", llb.SessionID(r.gw.BuildOpts().SessionID), llb.ExcludePatterns([]string{"none", "nothing"}),
		llb.FollowPaths([]string{"busybox"}), llb.Differ(llb.DiffNone, false), llb.WithCustomName("another local"))
	return r.show(ctx, llb.Scratch().File(llb.Copy(st, "*", "/there/", &llb.CopyInfo{AllowWildcard: true, CreateDestPath: true, CopyDirContentsOnly: true}, llb.WithUser("7:8"), llb.WithCreatedTime(longAgo))))
}

func image(ctx context.Context, r *run) error {
	name, _, dt, err := r.gw.ResolveImageConfig(ctx, r.image, sourceresolver.Opt{
		LogName:  "resolving",
		ImageOpt: &sourceresolver.ResolveImageOpt{ResolveMode: llb.ResolveModeDefault.String()},
	})
	if err != nil {
		return err
	}
	say("  %s %d bytes", strings.TrimPrefix(name, r.image), len(dt))
	return r.show(ctx, llb.Image(r.image, llb.WithCustomName("pull image")))
}

func failure(ctx context.Context, r *run) error {
	root := r.busybox()
	source := llb.NewSourceMap(&root, "broken.recipe", "recipe", []byte("break here\n"))
	_, err := r.solve(ctx, root.Run(script("exit 7"), llb.IgnoreCache, llb.WithCustomName("break here"), source.Location(ranges(1))).Root())
	say("  %v", err)
	return nil
}

func dockerfile(ctx context.Context, r *run) error {
	text := "FROM scratch\nCOPY bin/busybox /bin/busybox\nARG WHO=nobody\nENV WHO=${WHO}\n"
	recipe, err := r.marshal(ctx, llb.Scratch().File(llb.Mkfile("/Dockerfile", 0o644, []byte(text), llb.WithCreatedTime(longAgo))))
	if err != nil {
		return err
	}
	tree, err := r.marshal(ctx, r.busybox())
	if err != nil {
		return err
	}
	res, err := r.gw.Solve(ctx, gateway.SolveRequest{
		Frontend:       "dockerfile.v0",
		FrontendOpt:    map[string]string{"build-arg:WHO": "me", "label:a": "b", "label:c": "d"},
		FrontendInputs: map[string]*pb.Definition{"dockerfile": recipe, "context": tree},
		Evaluate:       true,
	})
	if err != nil {
		return err
	}
	stat, err := res.Ref.StatFile(ctx, gateway.StatRequest{Path: "/bin/busybox"})
	if err != nil {
		return err
	}
	say("  %s", described(stat))
	return nil
}

func warning(ctx context.Context, r *run) error {
	def, err := r.busybox().Marshal(ctx, llb.WithCaps(r.gw.BuildOpts().LLBCaps))
	if err != nil {
		return err
	}
	head, err := def.Head()
	if err != nil {
		return err
	}
	return r.gw.Warn(ctx, head, "mind the gap", gateway.WarnOpts{
		Level:      2,
		SourceInfo: &pb.SourceInfo{Filename: "graph.recipe", Data: []byte("first\nsecond\n")},
		Range:      ranges(2),
		Detail:     [][]byte{[]byte("between train"), []byte("and platform")},
		URL:        "https://example.invalid/gap",
	})
}

type buffer struct{ bytes.Buffer }

func (*buffer) Close() error { return nil }

// container: a process with its input and output, and one that fails.
func container(ctx context.Context, r *run) error {
	ref, err := r.solve(ctx, r.busybox())
	if err != nil {
		return err
	}
	for _, text := range []string{"tr a-z A-Z; echo $COLOUR >&2", "exit 3"} {
		ctr, err := r.gw.NewContainer(ctx, gateway.NewContainerRequest{
			Mounts:   []gateway.Mount{{Dest: "/", MountType: pb.MountType_BIND, Ref: ref}, {Dest: "/scratch", MountType: pb.MountType_TMPFS}},
			Hostname: "there",
			NetMode:  pb.NetMode_NONE,
		})
		if err != nil {
			return err
		}
		var stdout, stderr buffer
		process, err := ctr.Start(ctx, gateway.StartRequest{
			Args:   []string{"/bin/busybox", "sh", "-c", text},
			Env:    []string{"COLOUR=green", "SHAPE=round"},
			Cwd:    "/tmp",
			Stdin:  io.NopCloser(strings.NewReader("loud\n")),
			Stdout: &stdout,
			Stderr: &stderr,
		})
		if err != nil {
			return err
		}
		err = process.Wait()
		say("  %q %q %v", stdout.String(), stderr.String(), err)
		say("  %v", ctr.Release(ctx))
	}
	return nil
}
