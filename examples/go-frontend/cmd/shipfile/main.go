// Command shipfile builds a folder with the daemon that BUILDKIT_HOST names.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/moby/buildkit/client"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/util/appcontext"
	"github.com/moby/buildkit/util/progress/progressui"
	"github.com/tonistiigi/fsutil"
	"golang.org/x/sync/errgroup"

	"example.com/shipfile"
)

func main() {
	filename := flag.String("file", shipfile.DefaultFilename, "the recipe's name in the folder")
	name := flag.String("push", "", "push the image under this name")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: shipfile [options] [FOLDER]")
		flag.PrintDefaults()
	}
	flag.Parse()
	folder := "."
	switch flag.NArg() {
	case 0:
	case 1:
		folder = flag.Arg(0)
	default:
		flag.Usage()
		os.Exit(2)
	}
	if err := run(appcontext.Context(), folder, *filename, *name); err != nil {
		fmt.Fprintln(os.Stderr, "shipfile:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, folder, filename, name string) error {
	c, err := client.New(ctx, os.Getenv("BUILDKIT_HOST"))
	if err != nil {
		return err
	}
	defer c.Close()
	dir, err := fsutil.NewFS(folder)
	if err != nil {
		return err
	}
	opt := client.SolveOpt{
		FrontendAttrs: map[string]string{"filename": filename},
		LocalMounts:   map[string]fsutil.FS{shipfile.ContextName: dir},
	}
	if name != "" {
		opt.Exports = []client.ExportEntry{{Type: client.ExporterImage, Attrs: map[string]string{"name": name, "push": "true"}}}
	}
	display, err := progressui.NewDisplay(os.Stderr, progressui.AutoMode)
	if err != nil {
		return err
	}

	var version []byte
	status := make(chan *client.SolveStatus)
	eg, ctx := errgroup.WithContext(ctx)
	eg.Go(func() error {
		_, err := c.Build(ctx, opt, "shipfile", func(ctx context.Context, gw gateway.Client) (*gateway.Result, error) {
			res, err := shipfile.Build(ctx, gw)
			if err == nil {
				version = res.Metadata[shipfile.MetaVersion]
			}
			return res, err
		}, status)
		return err
	})
	eg.Go(func() error {
		// The end of a build is the end of its status, whatever becomes of ctx.
		_, err := display.UpdateFrom(context.WithoutCancel(ctx), status)
		return err
	})
	if err := eg.Wait(); err != nil {
		return err
	}
	fmt.Printf("built %s\n", version)
	return nil
}
