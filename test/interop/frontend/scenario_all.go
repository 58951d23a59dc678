package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	gatewayapi "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/identity"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/solver/result"
	"github.com/moby/buildkit/util/apicaps"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// allInputs are the build's own inputs: one that is the same in every build,
// and one that BuildKit's clients make unique.
func allInputs() map[string]llb.State {
	return map[string]llb.State{
		"recipe": llb.Scratch().File(llb.Mkfile("/recipe", 0o644, []byte("FROM inputs\n"), llb.WithCreatedTime(longAgo))),
		"unique": llb.Local("unused", llb.LocalUniqueID(identity.NewID()), llb.SharedKeyHint("unused")),
	}
}

// buildAll uses every call of LLBBridge. A step that the daemon does not know
// is tried all the same where the client lets it, and its answer printed.
func buildAll(ctx context.Context, r *run) (*gateway.Result, error) {
	r.ping(ctx)
	r.inputs(ctx)

	s := r.tr.section("base")
	base, err := r.solveRef(ctx, r.busybox())
	if err != nil {
		s.failure(err)
		return nil, err
	}
	s.say("solved")
	s.stat(ctx, base, gateway.StatRequest{Path: "/bin/busybox"})

	steps := []func(context.Context, *run, gateway.Reference) error{
		files, runs, failures, dockerfiles, warnings, images,
		manyProcesses, terminal, exitCodes, signals, containers, containerFiles, execErrors,
	}
	for _, step := range steps {
		if err := step(ctx, r, base); err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	return r.result(ctx, base)
}

func (r *run) can(s *section, cap apicaps.CapID) bool {
	caps := r.gw.BuildOpts().Caps
	if err := caps.Supports(cap); err != nil {
		s.say("not supported: %s", cap)
		return false
	}
	return true
}

func (r *run) ping(ctx context.Context) {
	s := r.tr.section("ping")
	pong, err := r.raw.Ping(ctx, &gatewayapi.PingRequest{})
	if err != nil {
		s.failure(err)
		return
	}
	list := func(caps []*apicaps.PBCap) string {
		ids := make([]string, 0, len(caps))
		for _, c := range caps {
			ids = append(ids, c.ID)
		}
		sort.Strings(ids)
		return strings.Join(ids, " ")
	}
	s.say("frontend caps: %s", list(pong.FrontendAPICaps))
	s.say("llb caps: %s", list(pong.LLBCaps))
	s.say("%d workers", len(pong.Workers))
	for _, w := range pong.Workers {
		s.say("  worker labels %q", slices.Sorted(maps.Keys(w.Labels)))
	}
	s.say("options %q", r.gw.BuildOpts().Opts)
}

func (r *run) inputs(ctx context.Context) {
	s := r.tr.section("inputs")
	inputs, err := r.gw.Inputs(ctx)
	if err != nil {
		s.failure(err)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		s.say("input %s", name)
	}
	ref, err := r.solveRef(ctx, inputs["recipe"])
	if err != nil {
		s.failure(err)
		return
	}
	s.readFile(ctx, ref, gateway.ReadRequest{Filename: "/recipe"})
}

// files: a lazy solve, its evaluation, and reads that succeed and that fail.
func files(ctx context.Context, r *run, _ gateway.Reference) error {
	long := strings.Repeat("0123456789abcdef", 4096)
	st := llb.Scratch().File(
		llb.Mkdir("/docs", 0o755, llb.WithCreatedTime(longAgo)).
			Mkdir("/docs/deep", 0o700, llb.WithCreatedTime(longAgo)).
			Mkfile("/docs/a.txt", 0o644, []byte("alpha\n"), llb.WithCreatedTime(longAgo)).
			Mkfile("/docs/b.txt", 0o600, []byte("beta\n"), llb.WithCreatedTime(longAgo), llb.WithUIDGID(1000, 1000)).
			Mkfile("/docs/c.md", 0o644, []byte("# gamma\n"), llb.WithCreatedTime(longAgo)).
			Mkfile("/docs/empty", 0o644, nil, llb.WithCreatedTime(longAgo)).
			Mkfile("/docs/long", 0o644, []byte(long), llb.WithCreatedTime(longAgo)),
		llb.WithCustomName("make docs"))

	s := r.tr.section("files")
	res, err := r.solve(ctx, st, false)
	if err != nil {
		return err
	}
	ref, err := res.SingleRef()
	if err != nil {
		return err
	}
	s.say("evaluate")
	if err := ref.Evaluate(ctx); err != nil {
		s.failure(err)
	}
	if state, err := ref.ToState(); err != nil {
		s.failure(err)
	} else {
		s.say("reference has a state with output: %t", state.Output() != nil)
	}
	for _, req := range []gateway.ReadRequest{
		{Filename: "/docs/a.txt"},
		{Filename: "docs/b.txt"},
		{Filename: "/docs/empty"},
		{Filename: "/docs/long"},
		{Filename: "/docs/long", Range: &gateway.FileRange{Offset: 10, Length: 20}},
		{Filename: "/docs/long", Range: &gateway.FileRange{Offset: 65530, Length: 100}},
		{Filename: "/docs/long", Range: &gateway.FileRange{Offset: 70000, Length: 5}},
		{Filename: "/docs/long", Range: &gateway.FileRange{Offset: 65500}},
		{Filename: "/docs"},
		{Filename: "/docs/missing"},
	} {
		s.readFile(ctx, ref, req)
	}
	for _, req := range []gateway.ReadDirRequest{
		{Path: "/"},
		{Path: "/docs"},
		{Path: "/docs", IncludePattern: "*.txt"},
		{Path: "/docs", IncludePattern: "nothing*"},
		{Path: "/docs/a.txt"},
		{Path: "/missing"},
	} {
		s.readDir(ctx, ref, req)
	}
	for _, path := range []string{"/", "/docs", "/docs/b.txt", "/missing"} {
		s.stat(ctx, ref, gateway.StatRequest{Path: path})
	}

	s = r.tr.section("files, by hand")
	const nobody = "nosuchreference"
	s.say("evaluate")
	if _, err := r.raw.Evaluate(ctx, &gatewayapi.EvaluateRequest{Ref: nobody}); err != nil {
		s.failure(err)
	}
	if _, err := r.raw.ReadFile(ctx, &gatewayapi.ReadFileRequest{Ref: nobody, FilePath: "/x"}); err != nil {
		s.failure(err)
	}
	if _, err := r.raw.ReadDir(ctx, &gatewayapi.ReadDirRequest{Ref: nobody, DirPath: "/x"}); err != nil {
		s.failure(err)
	}
	if _, err := r.raw.StatFile(ctx, &gatewayapi.StatFileRequest{Ref: nobody, Path: "/x"}); err != nil {
		s.failure(err)
	}
	return nil
}

// runs: ops that execute, one by one and several at once.
func runs(ctx context.Context, r *run, _ gateway.Reference) error {
	s := r.tr.section("run")
	made := r.busybox().Run(
		script("echo working; echo aside >&2; env | grep -e COLOUR -e PATH -e PWD | sort > /out/env; ln -s env /out/link; id -u > /out/id"),
		llb.AddEnv("COLOUR", "green"),
		llb.Dir("/tmp"),
		llb.AddMount("/scratch", llb.Scratch(), llb.Tmpfs()),
		llb.IgnoreCache,
		llb.WithCustomName("run and talk"),
	)
	res, err := r.solve(ctx, made.AddMount("/out", llb.Scratch()), true)
	if err != nil {
		s.failure(err)
		return err
	}
	ref, err := res.SingleRef()
	if err != nil {
		return err
	}
	s.readDir(ctx, ref, gateway.ReadDirRequest{Path: "/"})
	s.readFile(ctx, ref, gateway.ReadRequest{Filename: "/id"})
	s.readFile(ctx, ref, gateway.ReadRequest{Filename: "/env"})

	s = r.tr.section("solve of nothing")
	res, err = r.solve(ctx, llb.Scratch(), false)
	if err != nil {
		s.failure(err)
	} else {
		ref, err := res.SingleRef()
		s.say("reference %t, error %v", ref != nil, err)
	}

	one := func(name string) func(*section) error {
		return func(s *section) error {
			st := r.busybox().Run(script("echo made by "+name+" > /made"), llb.IgnoreCache, llb.WithCustomName("make "+name)).Root()
			ref, err := r.solveRef(ctx, st)
			if err != nil {
				s.failure(err)
				return nil
			}
			s.readFile(ctx, ref, gateway.ReadRequest{Filename: "/made"})
			return nil
		}
	}
	return r.tr.together("solves at once:", map[string]func(*section) error{
		"amber": one("amber"), "blue": one("blue"), "coral": one("coral"), "dun": one("dun"),
	})
}

// failures: solves that fail, and a look around in what a failed op left.
func failures(ctx context.Context, r *run, _ gateway.Reference) error {
	s := r.tr.section("failing run")
	_, err := r.solve(ctx, r.broken(), true)
	if err == nil {
		return errors.New("a solve that had to fail did not")
	}
	s.failure(err)
	var failed *errdefs.SolveError
	if errors.As(err, &failed) && len(failed.MountIDs) > 0 {
		ctr, err := r.gw.NewContainer(ctx, gateway.NewContainerRequest{
			Mounts:  []gateway.Mount{{Dest: "/", MountType: pb.MountType_BIND, ResultID: failed.MountIDs[0]}},
			NetMode: pb.NetMode_NONE,
		})
		if err != nil {
			s.failure(err)
		} else {
			if err := r.runToEnd(ctx, s, ctr, "afterwards", command{script: "ls -d /bin /etc"}, nil); err != nil {
				return err
			}
			s.release(ctx, ctr)
		}
	}

	s = r.tr.section("failing copy")
	_, err = r.solve(ctx, llb.Scratch().File(llb.Copy(r.busybox(), "/no/such/file", "/there"), llb.WithCustomName("copy nothing")), true)
	if err != nil {
		s.failure(err)
	}
	s = r.tr.section("failing lazily")
	res, err := r.solve(ctx, r.busybox().Run(script("exit 3"), llb.IgnoreCache, llb.WithCustomName("fail later")).Root(), false)
	if err != nil {
		s.failure(err)
	} else if ref, err := res.SingleRef(); err == nil {
		s.stat(ctx, ref, gateway.StatRequest{Path: "/"})
	}
	s = r.tr.section("frontend that does not exist")
	if _, err := r.gw.Solve(ctx, gateway.SolveRequest{Frontend: "nobody.v0"}); err != nil {
		s.failure(err)
	}
	return nil
}

// dockerfiles: the built-in frontend, called by ours.
func dockerfiles(ctx context.Context, r *run, _ gateway.Reference) error {
	attempt := func(name, text string, opts map[string]string) error {
		s := r.tr.section("dockerfile: " + name)
		recipe, err := llb.Scratch().File(llb.Mkfile("/Dockerfile", 0o644, []byte(text), llb.WithCreatedTime(longAgo)), llb.WithCustomName("write Dockerfile "+name)).
			Marshal(ctx, llb.WithCaps(r.gw.BuildOpts().LLBCaps))
		if err != nil {
			return err
		}
		tree, err := r.busybox().Marshal(ctx, llb.WithCaps(r.gw.BuildOpts().LLBCaps))
		if err != nil {
			return err
		}
		res, err := r.gw.Solve(ctx, gateway.SolveRequest{
			Frontend:       "dockerfile.v0",
			FrontendOpt:    opts,
			FrontendInputs: map[string]*pb.Definition{"dockerfile": recipe.ToPB(), "context": tree.ToPB()},
			// v0.11 dies of evaluating a result of several references.
			Evaluate: opts["platform"] == "",
		})
		if err != nil {
			s.failure(err)
			return nil
		}
		for _, key := range slices.Sorted(maps.Keys(res.Metadata)) {
			s.say("metadata %s", key)
		}
		if res.Ref != nil {
			s.readFile(ctx, res.Ref, gateway.ReadRequest{Filename: "/greeting"})
		}
		for _, key := range slices.Sorted(maps.Keys(res.Refs)) {
			s.say("reference for %s", key)
			s.readDir(ctx, res.Refs[key], gateway.ReadDirRequest{Path: "/"})
		}
		return nil
	}
	good := "FROM scratch\nCOPY bin/busybox /bin/busybox\nARG WHO=nobody\nRUN [\"/bin/busybox\", \"sh\", \"-c\", \"echo hello > /greeting\"]\nENV WHO=${WHO}\n"
	if err := attempt("good", good, map[string]string{"build-arg:WHO": "me"}); err != nil {
		return err
	}
	if err := attempt("two platforms", "FROM scratch\nARG TARGETARCH\nCOPY etc/passwd /passwd-$TARGETARCH\n", map[string]string{"platform": "linux/amd64,linux/arm64"}); err != nil {
		return err
	}
	if err := attempt("syntax error", "FROM scratch\nBREAK here\n", nil); err != nil {
		return err
	}
	return attempt("failing run", "FROM scratch\nCOPY bin/busybox /bin/busybox\nRUN [\"/bin/busybox\", \"sh\", \"-c\", \"echo oh no; exit 9\"]\n", nil)
}

func warnings(ctx context.Context, r *run, _ gateway.Reference) error {
	s := r.tr.section("warn")
	if !r.can(s, gatewayapi.CapGatewayWarnings) {
		// The answer of a daemon that has no such call is worth having too.
		if _, err := r.raw.Warn(ctx, &gatewayapi.WarnRequest{}); err != nil {
			s.failure(err)
		}
		return nil
	}
	// Warnings belong to a vertex that the daemon has heard of.
	def, err := r.busybox().Marshal(ctx, llb.WithCaps(r.gw.BuildOpts().LLBCaps))
	if err != nil {
		return err
	}
	dgst, err := def.Head()
	if err != nil {
		return err
	}
	err = r.gw.Warn(ctx, dgst, "mind the gap", gateway.WarnOpts{
		Level:      2,
		SourceInfo: &pb.SourceInfo{Filename: "broken.recipe", Data: []byte(brokenSource)},
		Range:      []*pb.Range{{Start: &pb.Position{Line: 2}, End: &pb.Position{Line: 2, Character: 9}}},
		Detail:     [][]byte{[]byte("between train"), []byte("and platform")},
		URL:        "https://example.invalid/gap",
	})
	if err != nil {
		s.failure(err)
	}
	if err := r.gw.Warn(ctx, digest.FromString("nothing of this build"), "about nobody", gateway.WarnOpts{Level: 1}); err != nil {
		s.failure(err)
	}
	s.say("warned")
	return nil
}

func images(ctx context.Context, r *run, _ gateway.Reference) error {
	s := r.tr.section("images")
	if r.image == "" {
		s.say("left out: no --image")
	} else {
		config := func(ref, dgst string, dt []byte) {
			var image ocispecs.Image
			if err := json.Unmarshal(dt, &image); err != nil {
				s.say("config unreadable: %v", err)
				return
			}
			s.say("  %s digest %s config %s/%s env %q cmd %q entrypoint %q labels %q", ref, dgst, image.OS, image.Architecture,
				image.Config.Env, image.Config.Cmd, image.Config.Entrypoint, image.Config.Labels)
		}
		for _, ref := range []string{r.image, strings.TrimSuffix(r.image, r.imageTag()) + ":missing"} {
			s.say("resolve config of %s", ref)
			found, dgst, dt, err := r.gw.ResolveImageConfig(ctx, ref, sourceresolver.Opt{
				LogName:  "resolving " + ref,
				ImageOpt: &sourceresolver.ResolveImageOpt{ResolveMode: llb.ResolveModeDefault.String()},
			})
			if err != nil {
				s.failure(err)
			} else {
				config(found, dgst.String(), dt)
			}
			s.say("resolve config of %s, by hand", ref)
			answer, err := r.raw.ResolveImageConfig(ctx, &gatewayapi.ResolveImageConfigRequest{
				Ref: ref, LogName: "resolving " + ref + " again", ResolveMode: llb.ResolveModeForcePull.String(),
				Platform: &pb.Platform{OS: "linux", Architecture: "amd64"},
			})
			if err != nil {
				s.failure(err)
			} else {
				config(answer.Ref, answer.Digest, answer.Config)
			}
			s.say("resolve source of %s, by hand", ref)
			meta, err := r.raw.ResolveSourceMeta(ctx, &gatewayapi.ResolveSourceMetaRequest{
				Source: &pb.SourceOp{Identifier: "docker-image://" + ref}, LogName: "resolving source " + ref,
			})
			if err != nil {
				s.failure(err)
			} else {
				s.say("  source %s", meta.Source.GetIdentifier())
				config(ref, meta.Image.GetDigest(), meta.Image.GetConfig())
			}
		}
		ref, err := r.solveRef(ctx, llb.Image(r.image, llb.WithCustomName("pull image")))
		if err != nil {
			s.failure(err)
		} else {
			s.stat(ctx, ref, gateway.StatRequest{Path: "/bin/busybox"})
		}
	}
	s = r.tr.section("source that needs no image")
	meta, err := r.gw.ResolveSourceMetadata(ctx, &pb.SourceOp{Identifier: "local://busybox"}, sourceresolver.Opt{})
	if err != nil {
		s.failure(err)
	} else {
		s.say("source %s, image %t", meta.Op.GetIdentifier(), meta.Image != nil)
	}
	return nil
}

// result returns two references, metadata and, where it can, an attestation.
func (r *run) result(ctx context.Context, base gateway.Reference) (*gateway.Result, error) {
	s := r.tr.section("result")
	other, err := r.solveRef(ctx, llb.Scratch().File(llb.Mkfile("/other", 0o644, []byte("other\n"), llb.WithCreatedTime(longAgo)), llb.WithCustomName("make other")))
	if err != nil {
		return nil, err
	}
	res := gateway.NewResult()
	res.AddRef("linux/amd64", base)
	res.AddRef("linux/arm64", other)
	res.AddMeta("refs.platforms", []byte(`{"Platforms":[{"ID":"linux/amd64","Platform":{"os":"linux","architecture":"amd64"}},{"ID":"linux/arm64","Platform":{"os":"linux","architecture":"arm64"}}]}`))
	res.AddMeta("bridgetape", []byte{0, 1, 2, 0xff})
	if r.can(s, gatewayapi.CapAttestations) {
		res.AddAttestation("linux/amd64", gateway.Attestation{
			Kind:     gatewayapi.AttestationKind_InToto,
			Metadata: map[string][]byte{"reason": []byte("test")},
			Ref:      other,
			Path:     "/other",
			InToto: result.InTotoAttestation{
				PredicateType: "https://example.invalid/predicate",
				Subjects:      []result.InTotoSubject{{Kind: gatewayapi.InTotoSubjectKind_Self}},
			},
		})
	}
	s.say("%d references", len(res.Refs))
	return res, nil
}
