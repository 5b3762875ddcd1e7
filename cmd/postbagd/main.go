// Command postbagd is Postbag without a window: service and command line.
package main

import (
	"context"
	"os"
	"runtime"

	"postbag/app"
	"postbag/app/cli"
	"postbag/app/facts"
)

// Set by the linker.
var (
	version = "dev"
	commit  = ""
)

func main() {
	os.Exit(cli.Main(cli.System(), application{app.New(facts.Build{Version: version, Commit: commit})}))
}

// moreThreads lets one thread more run than there are processors, unless the
// environment says how many: a thread that waits for the disk counts until Go's
// monitor notices, and every few messages one does.
func moreThreads(set string) {
	if set == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}

// application gives the commands what they ask for as interfaces; package app
// knows no command line.
type application struct{ *app.Application }

func (a application) Open(ctx context.Context, o facts.Options) (cli.Backend, error) {
	b, err := a.Application.Open(ctx, o)
	moreThreads(os.Getenv("GOMAXPROCS")) // not before: what a start does, it does alone
	return b, err
}

func (a application) Config(o facts.Options) cli.ConfigFile { return a.Application.Config(o) }

func (a application) Secrets(o facts.Options) cli.Secrets { return a.Application.Secrets(o) }
