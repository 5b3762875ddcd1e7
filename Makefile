# Postbag. Needed beforehand: Go 1.26, git, make. Everything else that a target
# needs is installed by it (Debian and Ubuntu), and only when it is missing.

SHELL := /bin/bash

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

.PHONY: help demo run build man test lint fuzz real bench clean

help: ## these lines
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

demo: build ## a provider and an office server of its own, sample mail, the real engine: watch it work
	@bin/postbagd demo

run: build ## the engine in the foreground, with your own configuration
	@bin/postbagd run

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

real: ## only the tests against the real Dovecot, Postfix and keyring
	@.ci/test real

fuzz: ## a short fuzzing of every parser; FUZZTIME=10s each
	@.ci/fuzz

bench: ## benchmarks
	@CGO_ENABLED=0 go test -run '^$$' -bench . -benchmem ./engine/...

clean: ## remove what was built
	@rm -rf bin build
