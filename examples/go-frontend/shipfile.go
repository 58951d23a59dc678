// Package shipfile is a BuildKit frontend: it makes an image from a recipe,
// runs the recipe's check in a container of it, and hands out no image that
// failed its check.
//
// [Build] is the whole frontend. cmd/shipfile runs it from the command line,
// against the daemon that BUILDKIT_HOST names; cmd/shipfile-frontend runs it in
// a container that BuildKit starts.
package shipfile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	// ContextName is the name of the build's context: an input of the build,
	// or else a folder of the client's.
	ContextName = "context"

	// MetaVersion and MetaCheck are keys of the result's metadata: the image's
	// version, and what its check printed.
	MetaVersion = "shipfile.version"
	MetaCheck   = "shipfile.check"

	workdir = "/app"
)

// Build is the frontend: a gateway.BuildFunc.
func Build(ctx context.Context, gw gateway.Client) (*gateway.Result, error) {
	b, err := newBuild(gw)
	if err != nil {
		return nil, err
	}
	recipe, err := b.readRecipe(ctx)
	if err != nil {
		return nil, err
	}
	image, err := b.baseImage(ctx, recipe.From)
	if err != nil {
		return nil, err
	}
	st, err := b.state(ctx, recipe, image)
	if err != nil {
		return nil, err
	}
	res, err := b.solve(ctx, st)
	if err != nil {
		return nil, fmt.Errorf("making the image: %w", err)
	}
	ref, err := res.SingleRef()
	if err != nil {
		return nil, err
	}

	image.Config.WorkingDir = workdir
	image.Config.Entrypoint, image.Config.Cmd = recipe.Entrypoint, nil
	if recipe.Version != "" {
		version, err := ref.ReadFile(ctx, gateway.ReadRequest{Filename: recipe.Version})
		if err != nil {
			return nil, fmt.Errorf("reading the version: %w", err)
		}
		setVersion(image, strings.TrimSpace(string(version)))
		res.AddMeta(MetaVersion, []byte(image.Config.Labels[ocispecs.AnnotationVersion]))
	}
	if recipe.Check != "" {
		output, err := b.check(ctx, ref, image.Config, recipe.Check)
		if err != nil {
			return nil, err
		}
		res.AddMeta(MetaCheck, output)
	}
	config, err := json.Marshal(image)
	if err != nil {
		return nil, err
	}
	res.AddMeta(exptypes.ExporterImageConfigKey, config)
	return res, nil
}

// build is one run of the frontend.
type build struct {
	gw       gateway.Client
	platform ocispecs.Platform
	context  llb.State
	filename string
}

func newBuild(gw gateway.Client) (*build, error) {
	opts := gw.BuildOpts()
	if len(opts.Workers) == 0 || len(opts.Workers[0].Platforms) == 0 {
		return nil, errors.New("the daemon has no worker to build on")
	}
	filename := opts.Opts["filename"]
	if filename == "" {
		filename = DefaultFilename
	}
	return &build{
		gw: gw,
		// The worker's platform, and not that of the machine this runs on:
		// client and daemon need not be of one kind.
		platform: opts.Workers[0].Platforms[0],
		filename: filename,
	}, nil
}

// readRecipe finds the build's context, and reads the recipe in it.
func (b *build) readRecipe(ctx context.Context) (Recipe, error) {
	inputs, err := b.gw.Inputs(ctx)
	if err != nil {
		return Recipe{}, err
	}
	var found bool
	if b.context, found = inputs[ContextName]; !found {
		b.context = llb.Local(ContextName,
			llb.SessionID(b.gw.BuildOpts().SessionID),
			llb.WithCustomName("read the context"))
	}
	res, err := b.solve(ctx, b.context)
	if err != nil {
		return Recipe{}, fmt.Errorf("reading the context: %w", err)
	}
	ref, err := res.SingleRef()
	if err != nil {
		return Recipe{}, err
	}
	data, err := ref.ReadFile(ctx, gateway.ReadRequest{Filename: b.filename})
	if err != nil {
		return Recipe{}, fmt.Errorf("reading the recipe: %w", err)
	}
	recipe, err := ParseRecipe(data)
	if err != nil {
		return Recipe{}, fmt.Errorf("%s: %w", b.filename, err)
	}
	return recipe, nil
}

// baseImage is what the image's own configuration starts from.
func (b *build) baseImage(ctx context.Context, name string) (*ocispecs.Image, error) {
	_, _, config, err := b.gw.ResolveImageConfig(ctx, name, sourceresolver.Opt{
		ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &b.platform},
	})
	if err != nil {
		return nil, fmt.Errorf("resolving %s: %w", name, err)
	}
	image := new(ocispecs.Image)
	if err := json.Unmarshal(config, image); err != nil {
		return nil, fmt.Errorf("the configuration of %s: %w", name, err)
	}
	// The exporter writes what it has made itself.
	image.History, image.RootFS, image.Created = nil, ocispecs.RootFS{}, nil
	return image, nil
}

// state is the file system that the recipe makes.
func (b *build) state(ctx context.Context, recipe Recipe, base *ocispecs.Image) (llb.State, error) {
	config, err := json.Marshal(base)
	if err != nil {
		return llb.State{}, err
	}
	st, err := llb.Image(recipe.From).WithImageConfig(config)
	if err != nil {
		return llb.State{}, fmt.Errorf("the configuration of %s: %w", recipe.From, err)
	}
	st = st.File(llb.Mkdir(workdir, 0o755, llb.WithParents(true)), llb.WithCustomName("make "+workdir)).Dir(workdir)
	for _, name := range recipe.Copy {
		st = st.File(llb.Copy(b.context, name, workdir+"/"), llb.WithCustomName("copy "+name))
	}
	for _, command := range recipe.Run {
		st = st.Run(llb.Args(shell(command)), llb.WithCustomName(command)).Root()
	}
	return st, nil
}

// solve has a state made at once, so that what fails, fails here.
func (b *build) solve(ctx context.Context, st llb.State) (*gateway.Result, error) {
	def, err := st.Marshal(ctx, llb.Platform(b.platform), llb.WithCaps(b.gw.BuildOpts().LLBCaps))
	if err != nil {
		return nil, err
	}
	return b.gw.Solve(ctx, gateway.SolveRequest{Definition: def.ToPB(), Evaluate: true})
}

func setVersion(image *ocispecs.Image, version string) {
	if image.Config.Labels == nil {
		image.Config.Labels = map[string]string{}
	}
	image.Config.Labels[ocispecs.AnnotationVersion] = version
}

func shell(command string) []string {
	return []string{"/bin/sh", "-c", command}
}
