// Command shipfile-frontend is the frontend as BuildKit runs it: in a container,
// with the gateway on its stdin and stdout.
package main

import (
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"

	"example.com/shipfile"
)

func main() {
	if err := grpcclient.RunFromEnvironment(appcontext.Context(), shipfile.Build); err != nil {
		fmt.Fprintln(os.Stderr, "shipfile-frontend:", err)
		os.Exit(1)
	}
}
