# Postbag. Needed beforehand: Go 1.26, git, make. Everything else that a target
# needs is installed by it (Debian and Ubuntu), and only when it is missing.

SHELL := /bin/bash

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

.PHONY: help demo run build man test lint i18n fuzz real e2e screenshots bench gobench clean

help: ## these lines
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+):.*## (.*)/  make \1\t\2/' | expand -t 16

demo: build ## a provider and an office server of its own, sample mail, the real engine: watch it work
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then $(MAKE) --no-print-directory desktop && bin/postbag demo; else bin/postbagd demo; fi

run: build ## Postbag with your own mailboxes: windows with a display, else the engine in the foreground
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then $(MAKE) --no-print-directory desktop && bin/postbag; else bin/postbagd run; fi

desktop: ## bin/postbag, the program with windows; installs the C libraries that it is built with
	@mkdir -p bin
	@.ci/install gcc:gcc /usr/include/stdlib.h:libc6-dev pkg-config:pkg-config /usr/include/GL/gl.h:libgl-dev \
		/usr/include/GLES2/gl2.h:libgles-dev /usr/include/EGL/egl.h:libegl-dev \
		/usr/include/X11/Xlib.h:libx11-dev /usr/include/X11/Xcursor/Xcursor.h:libxcursor-dev \
		/usr/include/X11/extensions/Xrandr.h:libxrandr-dev /usr/include/X11/extensions/Xinerama.h:libxinerama-dev \
		/usr/include/X11/extensions/XInput2.h:libxi-dev /usr/include/X11/extensions/xf86vmode.h:libxxf86vm-dev \
		/usr/include/wayland-client.h:libwayland-dev /usr/include/xkbcommon/xkbcommon.h:libxkbcommon-dev
	@CGO_ENABLED=1 go build -trimpath -buildvcs=false -tags gles,migrated_fynedo,no_animations -ldflags '$(LDFLAGS)' -o bin/postbag ./cmd/postbag

build: ## bin/postbagd
	@mkdir -p bin
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/postbagd ./cmd/postbagd

man: build ## manual pages and shell completions, into build/
	@mkdir -p build/man/man1 build/man/fr/man1 build/completions
	@bin/postbagd man --lang en >build/man/man1/postbagd.1
	@bin/postbagd man --lang fr >build/man/fr/man1/postbagd.1
	@bin/postbagd completion bash >build/completions/postbagd.bash
	@bin/postbagd completion zsh >build/completions/_postbagd
	@bin/postbagd completion fish >build/completions/postbagd.fish
	@bin/postbagd completion powershell >build/completions/postbagd.ps1

test: ## everything that CI checks, with real mail servers; about ten minutes from scratch
	@.ci/test

lint: ## formatting, vet, staticcheck, other operating systems
	@.ci/lint

i18n: ## every text in every language, none missing and none too many, the window library's too
	@CGO_ENABLED=0 go test -count=1 ./app/i18n ./app/notify ./app/digest
	@CGO_ENABLED=0 go test -count=1 -tags migrated_fynedo -run 'Every|Words|Hints' ./app/cli ./gui ./gui/present

real: ## only the tests against the real Dovecot, Postfix and keyring
	@.ci/test real

e2e: ## the desktop program as a person uses it, on a virtual display; prints what it takes
	@.ci/e2e

screenshots: ## pictures of every page, in both languages and themes, into screenshots/; those of the README out of them
	@POSTBAG_SCREENSHOTS=$(CURDIR)/screenshots .ci/e2e 'TestScreenshots|TestPicture|TestPersonSetsUp|TestTray|TestStartWith'
	@.ci/pictures screenshots

fuzz: ## a short fuzzing of every parser; FUZZTIME=10s each
	@.ci/fuzz

bench: ## Postbag beside fetchmail, mpop and getmail6, every message verified; BENCH="--short" for a look
	@.ci/bench $(BENCH)

gobench: ## the benchmarks of single parts, for benchstat
	@CGO_ENABLED=0 go test -run '^$$' -bench . -benchmem $(GOBENCH) ./engine/...

clean: ## remove what was built
	@rm -rf bin build
