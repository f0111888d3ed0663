# make          lists the targets
# make test     all tests, on a fresh machine; make ci: linters, modules alone and fuzzing, too
# make demo     the chat example on http://127.0.0.1:3000; make demo-cluster: three servers as one

# A Go that the setup had to fetch; see tools/setup/install.sh.
export PATH := $(CURDIR)/build/go/bin:$(PATH)

ADDR     ?= 127.0.0.1:3000
FUZZTIME ?= 20s
BENCH    ?= .
CMD      ?= build/refserver -quiet -addr {addr}
CONFORM  ?=
before   :=
after    :=

client := tools/node/node_modules/socket.io-client/dist
verify := go run ./tools/cmd/verify

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-cluster test ci check fmt vet lint race alone conform conform-matrix conform-proof fuzz bench tidy prefix

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | \
		awk -F '\t' '{ printf "  %-15s %s\n", $$1, $$2 }'

setup: ## install what the tests need and is not there (Debian; root or sudo)
	@tools/setup/install.sh test

demo: ## install what it needs, then serve the chat example on ADDR (127.0.0.1:3000)
	@tools/setup/install.sh demo
	go run ./socketio/examples/chat -addr $(ADDR) -client $(client)

demo-cluster: ## three servers on an embedded NATS, or on REDIS=host:port, and a page to watch them
	@tools/setup/install.sh go
	go run ./adapters/nats/examples/cluster -addr $(ADDR) $(if $(REDIS),-redis $(REDIS))

test: setup ## install test needs, then run all tests with -race
	$(verify) $(before) tests $(after) --race --fresh

ci: ## what .ci/run does: linters, make test, each module alone, each fuzz target for 30s
	@$(MAKE) test before=lint after='alone fuzz'

check: ## the fast loop: linters, and the tests whose code changed, without -race and browsers
	$(verify) lint tests --without tools/clients

fmt: ## gofmt every Go file
	gofmt -w $$(git ls-files -co --exclude-standard '*.go')

vet: ## go vet in all modules
	$(verify) vet

lint: ## gofmt (check only), go vet and staticcheck in all modules
	$(verify) lint

race: setup ## all tests with the race detector
	$(verify) tests --race --fresh

alone: ## build, test and use each module without the others' folders
	go run ./tools/cmd/alone

conform: setup ## run the conformance suite on our fixture server, or on CMD='… {addr} …'
	go build -o build/refserver ./tools/cmd/refserver
	go run ./conformance/cmd/sioconform --cmd '$(CMD)' $(CONFORM)

conform-matrix: ## run the suite on the servers of conformance/fixtures and write MATRIX.md
	conformance/fixtures/matrix.sh $(SERVERS)

conform-proof: ## prove the suite: kill table, controls, twenty repeats (twenty minutes)
	conformance/proof.sh

fuzz: ## fuzz each target for FUZZTIME (20s)
	$(verify) fuzz --fuzztime $(FUZZTIME)

bench: ## run the benchmarks that match BENCH
	go test -run '^$$' -bench '$(BENCH)' -benchmem work

tidy: ## go mod tidy in all modules
	go run ./tools/cmd/tidy

prefix: ## change the module prefix everywhere: make prefix M=example.com/x
	@test -n "$(M)" || { echo 'usage: make prefix M=example.com/x' >&2; exit 2; }
	go run ./tools/cmd/prefix $(M)
