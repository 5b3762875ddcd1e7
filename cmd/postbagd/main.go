// Command postbagd is Postbag without a window: service and command line.
package main

import (
	"context"
	"os"

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

// application gives the commands what they ask for as interfaces; package app
// knows no command line.
type application struct{ *app.Application }

func (a application) Open(ctx context.Context, o facts.Options) (cli.Backend, error) {
	return a.Application.Open(ctx, o)
}

func (a application) Config(o facts.Options) cli.ConfigFile { return a.Application.Config(o) }

func (a application) Secrets(o facts.Options) cli.Secrets { return a.Application.Secrets(o) }
