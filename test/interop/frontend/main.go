// Command frontend is a build function of our own, run by client.Build against
// the daemon that BUILDKIT_HOST names. It prints a transcript of everything it
// observed except times and made-up ids, so that a live run and a replayed one
// can be compared as text.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	gatewayapi "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/identity"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/tonistiigi/fsutil"
)

type options struct {
	scenario    string
	busyboxDir  string
	busyboxURL  string
	image       string
	chunks      string
	sourceBytes int
	ticks       int
	who         string
	columns     uint
	interval    time.Duration
	timeout     time.Duration
	live        bool
}

// imageTag is the image's tag with its colon. The port of a registry has one too.
func (o options) imageTag() string {
	name := strings.LastIndex(o.image, "/")
	if at := strings.LastIndex(o.image, ":"); at > name {
		return o.image[at:]
	}
	return ""
}

// run is one build: the gateway client, the same bridge without the client's
// conveniences, and where to write what they answer.
type run struct {
	options
	tr     *transcript
	chunks *chunkLog
	gw     gateway.Client
	raw    gatewayapi.LLBBridgeClient
}

// scenario is a build function and what its build needs beside it.
type scenario struct {
	about  string
	build  func(context.Context, *run) (*gateway.Result, error)
	inputs func() map[string]llb.State
}

var scenarios = map[string]scenario{
	"all":      {about: "every LLBBridge call that the daemon supports", build: buildAll, inputs: allInputs},
	"dialogue": {about: "a tty shell dialogue of 2 to 3 seconds, with ticks, a resize and typed input", build: buildDialogue},
	"fail":     {about: "a failing solve whose error the build returns (exit status 1)", build: buildFail},
	"solve":    {about: "one solve and three reads, no container", build: buildSolve},
	"talk":     {about: "one process that prints --ticks lines, one each --interval", build: buildTalk},
}

func main() {
	var o options
	flag.StringVar(&o.scenario, "scenario", "all", "what to build:\n"+describeScenarios())
	flag.StringVar(&o.busyboxDir, "busybox-dir", "", "folder holding a static `busybox`, sent through the session (llb.Local)")
	flag.StringVar(&o.busyboxURL, "busybox-url", "", "URL of a static busybox, fetched by the daemon (llb.HTTP); wins over --busybox-dir")
	flag.StringVar(&o.image, "image", "", "HOST/NAME[:TAG] of an image on a loopback registry, to resolve (scenario all; left out when empty)")
	flag.StringVar(&o.chunks, "chunks", "", "write one JSON line for each exec output chunk to this file: process, ms since its Started, fd, bytes")
	flag.IntVar(&o.ticks, "ticks", 20, "lines printed in scenario talk")
	flag.DurationVar(&o.interval, "interval", 100*time.Millisecond, "time between lines in scenario talk")
	flag.IntVar(&o.sourceBytes, "source-bytes", 0, "bytes of comments below the source that scenario fail is to blame on, which its error carries")
	flag.StringVar(&o.who, "who", "the bridge", "who scenario dialogue says is there")
	flag.UintVar(&o.columns, "columns", 120, "columns of the terminal in scenario dialogue, once it is resized")
	flag.BoolVar(&o.live, "live", false, "also write exec output to stderr as it comes")
	flag.DurationVar(&o.timeout, "timeout", 2*time.Minute, "give up after this long")
	flag.Parse()
	if o.image != "" && o.imageTag() == "" {
		// v0.8 asks for a tag or a digest.
		o.image += ":latest"
	}
	os.Exit(execute(o))
}

func describeScenarios() string {
	names := make([]string, 0, len(scenarios))
	for name := range scenarios {
		names = append(names, name)
	}
	sort.Strings(names)
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "  %-9s %s\n", name, scenarios[name].about)
	}
	return b.String()
}

func execute(o options) int {
	sc, ok := scenarios[o.scenario]
	if !ok || flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "frontend: unknown scenario %q or stray arguments %q; scenarios:\n%s", o.scenario, flag.Args(), describeScenarios())
		return 2
	}
	if o.busyboxDir == "" && o.busyboxURL == "" {
		fmt.Fprintln(os.Stderr, "frontend: give --busybox-dir or --busybox-url")
		return 2
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), o.timeout,
		fmt.Errorf("gave up after --timeout %s", o.timeout))
	defer cancel()

	tr := &transcript{}
	chunks, err := openChunkLog(o.chunks)
	if err != nil {
		fmt.Fprintln(os.Stderr, "frontend:", err)
		return 2
	}
	err = build(ctx, o, sc, tr, chunks)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	err = errors.Join(err, chunks.close())
	tr.writeTo(os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "frontend:", err)
		return 1
	}
	return 0
}

func build(ctx context.Context, o options, sc scenario, tr *transcript, chunks *chunkLog) error {
	c, err := client.New(ctx, os.Getenv("BUILDKIT_HOST"))
	if err != nil {
		return err
	}
	defer c.Close()

	if o.scenario == "all" {
		s := tr.section("control info")
		if info, err := c.Info(ctx); err != nil {
			s.failure(err)
		} else {
			s.say("version %s package %s", info.BuildkitVersion.Version, info.BuildkitVersion.Package)
		}
	}

	opt := client.SolveOpt{
		Ref:           identity.NewID(),
		FrontendAttrs: map[string]string{"scenario": o.scenario},
		Session:       []session.Attachable{secretsprovider.FromMap(map[string][]byte{"greeting": []byte("hush-hush")})},
	}
	if sc.inputs != nil {
		opt.FrontendInputs = sc.inputs()
	}
	if o.busyboxURL == "" {
		dir, err := fsutil.NewFS(o.busyboxDir)
		if err != nil {
			return err
		}
		opt.LocalMounts = map[string]fsutil.FS{"busybox": dir}
	}
	tr.hide(o.image, "IMAGE")
	if host, _, found := strings.Cut(o.image, "/"); found {
		tr.hide(host, "REGISTRY")
	}
	tr.hide(o.busyboxURL, "BUSYBOX_URL")

	status := make(chan *client.SolveStatus)
	seen := make(chan *progress)
	go func() { seen <- watchProgress(status) }()
	r := &run{options: o, tr: tr, chunks: chunks, raw: c.GatewayClientForBuild(opt.Ref)}
	res, err := c.Build(ctx, opt, "bridgetape-interop", func(ctx context.Context, gw gateway.Client) (*gateway.Result, error) {
		r.gw = gw
		return sc.build(ctx, r)
	}, status)

	(<-seen).print(tr.section("progress"))
	s := tr.section("build")
	if err != nil {
		s.failure(err)
		return err
	}
	keys := make([]string, 0, len(res.ExporterResponse))
	for k := range res.ExporterResponse {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	s.say("done, exporter response keys %q", keys)
	return nil
}
