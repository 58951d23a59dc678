package shipfile_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/tonistiigi/fsutil"

	"example.com/shipfile"
)

// The base image of every recipe here. record.sh says where it comes from.
const busybox = "localhost:5000/busybox"

func TestBuildMakesAnImageAndChecksIt(t *testing.T) {
	t.Parallel()
	got := build(t, fromInput(`{
		"from": "`+busybox+`",
		"run": ["echo 1.4.2 >version", "printf '#!/bin/sh\necho hello from $(cat /app/version)\n' >hello; chmod +x hello"],
		"version": "/app/version",
		"check": "./hello | grep 1.4.2",
		"entrypoint": ["/app/hello"]
	}`))
	if got.err != nil {
		t.Fatal(got.err)
	}
	if version := got.meta(shipfile.MetaVersion); version != "1.4.2" {
		t.Errorf("version %q, want 1.4.2", version)
	}
	if output := got.meta(shipfile.MetaCheck); output != "hello from 1.4.2\n" {
		t.Errorf("the check printed %q", output)
	}
	image := got.image(t)
	if label := image.Config.Labels[ocispecs.AnnotationVersion]; label != "1.4.2" {
		t.Errorf("label %s is %q, want 1.4.2", ocispecs.AnnotationVersion, label)
	}
	if path := image.Config.Entrypoint; len(path) != 1 || path[0] != "/app/hello" {
		t.Errorf("entrypoint %q, want /app/hello", path)
	}
}

func TestBuildKeepsTheEnvironmentOfItsBaseImage(t *testing.T) {
	t.Parallel()
	got := build(t, fromInput(`{
		"from": "`+busybox+`",
		"run": ["echo $COLOUR >colour"],
		"check": "test $(cat colour) = $COLOUR && cat colour"
	}`))
	if got.err != nil {
		t.Fatal(got.err)
	}
	if output := got.meta(shipfile.MetaCheck); output != "green\n" {
		t.Errorf("the check printed %q, want the base image's COLOUR, green", output)
	}
	if got.meta(shipfile.MetaVersion) != "" || got.image(t).Config.Labels[ocispecs.AnnotationVersion] != "" {
		t.Error("there is a version, and the recipe names none")
	}
}

func TestBuildReadsAFolder(t *testing.T) {
	t.Parallel()
	got := build(t, fromFolder(t, "testdata/hello", "hello.json"))
	if got.err != nil {
		t.Fatal(got.err)
	}
	if output := got.meta(shipfile.MetaCheck); output != "hello, world\n" {
		t.Errorf("the check printed %q", output)
	}
}

func TestBuildKeepsAnImageThatFailedItsCheck(t *testing.T) {
	t.Parallel()
	got := build(t, fromInput(`{
		"from": "`+busybox+`",
		"run": ["echo 0.9 >version"],
		"version": "/app/version",
		"check": "grep -q ^1 version || { echo too young >&2; exit 4; }"
	}`))
	var check *shipfile.CheckError
	if !errors.As(got.err, &check) {
		t.Fatalf("error %v, want a CheckError", got.err)
	}
	if check.ExitCode != 4 || check.Stderr != "too young\n" {
		t.Errorf("exit code %d and %q, want 4 and too young", check.ExitCode, check.Stderr)
	}
	if !strings.Contains(got.told.Error(), "the image failed its check: grep -q ^1 version") {
		t.Errorf("the client was told %v", got.told)
	}
}

func TestBuildTellsWhichCommandFailed(t *testing.T) {
	t.Parallel()
	got := build(t, fromInput(`{
		"from": "`+busybox+`",
		"run": ["echo one", "echo two; exit 7", "echo three"]
	}`))
	var exit *gatewaypb.ExitError
	if !errors.As(got.err, &exit) || exit.ExitCode != 7 {
		t.Fatalf("error %v, want one with exit code 7", got.err)
	}
	if !strings.Contains(got.err.Error(), "echo two; exit 7") {
		t.Errorf("error %v does not name the command", got.err)
	}
}

func TestBuildTakesNoUnknownWords(t *testing.T) {
	t.Parallel()
	got := build(t, fromInput(`{"from": "`+busybox+`", "chekc": "true"}`))
	if got.err == nil || got.err.Error() != `shipfile.json: json: unknown field "chekc"` {
		t.Errorf("error %v, want the field that is unknown", got.err)
	}
}

func TestBuildNeedsARecipe(t *testing.T) {
	t.Parallel()
	got := build(t, client.SolveOpt{
		FrontendInputs: map[string]llb.State{shipfile.ContextName: llb.Scratch().File(llb.Mkfile("/README", 0o644, nil))},
	})
	if got.err == nil || !strings.Contains(got.err.Error(), "reading the recipe") {
		t.Errorf("error %v, want what is missing", got.err)
	}
}

// fromInput makes a build of a recipe that is part of what the client asks the
// daemon for, so that a replay compares every byte of it.
func fromInput(recipe string) client.SolveOpt {
	context := llb.Scratch().File(llb.Mkfile("/"+shipfile.DefaultFilename, 0o644, []byte(recipe)))
	return client.SolveOpt{FrontendInputs: map[string]llb.State{shipfile.ContextName: context}}
}

// fromFolder makes a build of a folder that the daemon fetches from the client.
// A replay does not fetch it: it has what was in it when it was recorded.
func fromFolder(t *testing.T, folder, filename string) client.SolveOpt {
	t.Helper()
	dir, err := fsutil.NewFS(folder)
	if err != nil {
		t.Fatal(err)
	}
	return client.SolveOpt{
		FrontendAttrs: map[string]string{"filename": filename},
		LocalMounts:   map[string]fsutil.FS{shipfile.ContextName: dir},
	}
}

// outcome is what came of a build.
type outcome struct {
	res *gateway.Result
	err error // of the build function
	// told is what the client heard from the daemon: err after its journey.
	told error
}

// build runs the frontend against the daemon that BUILDKIT_HOST names, or
// against a replay of one.
func build(t *testing.T, opt client.SolveOpt) outcome {
	t.Helper()
	address := os.Getenv("BUILDKIT_HOST")
	if address == "" {
		t.Fatal("BUILDKIT_HOST is not set; run the tests with: bridgetape replay cassettes/tests.cassette -- go test ./...")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := client.New(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()

	var got outcome
	_, got.told = c.Build(ctx, opt, "shipfile-test", func(ctx context.Context, gw gateway.Client) (*gateway.Result, error) {
		got.res, got.err = shipfile.Build(ctx, gw)
		return got.res, got.err
	}, nil)
	if got.err == nil {
		got.err = got.told
	}
	return got
}

func (o outcome) meta(key string) string { return string(o.res.Metadata[key]) }

func (o outcome) image(t *testing.T) ocispecs.Image {
	t.Helper()
	var image ocispecs.Image
	if err := json.Unmarshal(o.res.Metadata[exptypes.ExporterImageConfigKey], &image); err != nil {
		t.Fatal(err)
	}
	return image
}
