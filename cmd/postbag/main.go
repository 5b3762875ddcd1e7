// Command postbag is Postbag on the desktop: windows and an icon near the clock.
package main

import (
	"context"
	"fmt"
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
	o := run.Options{
		Args: os.Args[1:], Program: program, Getenv: os.Getenv, Stdout: os.Stdout, Stderr: os.Stderr,
		Config: cli.DefaultConfig(os.Getenv), Data: cli.DefaultData(os.Getenv),
		Build: build, Exit: os.Exit,
		Open: func(ctx context.Context, o facts.Options) (run.Backend, error) {
			return app.New(build).NewDesktop(ctx, o)
		},
	}
	if len(os.Args) > 1 && os.Args[1] == "demo" {
		os.Exit(demo(o))
	}
	os.Exit(run.Main(o))
}

// demo runs the program beside a provider and an office server of its own.
func demo(o run.Options) int {
	d, err := app.New(o.Build).NewDemo(context.Background(), "")
	if err != nil {
		fmt.Fprintln(o.Stderr, "postbag:", err)
		return 1
	}
	o.Args, o.Config, o.Data = o.Args[1:], d.Place().Config, d.Place().Data
	o.Open = func(ctx context.Context, place facts.Options) (run.Backend, error) {
		err := d.Open(ctx, place)
		return d, err
	}
	// What is left of it goes in any case, also when no window came.
	exit := o.Exit
	o.Exit = func(code int) {
		_ = d.Close()
		exit(code)
	}
	code := run.Main(o)
	_ = d.Close() // closed already, mostly
	return code
}
