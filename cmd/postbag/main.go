// Command postbag is Postbag on the desktop: windows and an icon near the clock.
package main

import (
	"context"
	"os"

	"postbag/app"
	"postbag/app/cli"
	"postbag/app/facts"
	"postbag/gui/run"
)

// Set by the linker.
var (
	version = "dev"
	commit  = ""
)

func main() {
	build := facts.Build{Version: version, Commit: commit}
	program, err := os.Executable()
	if err != nil {
		program = os.Args[0]
	}
	os.Exit(run.Main(run.Options{
		Args: os.Args[1:], Program: program, Getenv: os.Getenv, Stdout: os.Stdout, Stderr: os.Stderr,
		Config: cli.DefaultConfig(os.Getenv), Data: cli.DefaultData(os.Getenv),
		Build: build, Exit: os.Exit,
		Open: func(ctx context.Context, o facts.Options) (run.Backend, error) {
			return app.New(build).NewDesktop(ctx, o)
		},
	}))
}
