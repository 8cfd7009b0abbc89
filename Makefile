# make test is all that CI runs. It covers every module of the repository.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

# What tests run besides Go, as command:package.
PROGRAMS = redis-server:redis-server redis-sentinel:redis-sentinel chromium:chromium pg_ctlcluster:postgresql

FUZZTIME = 20s

# A check that fails keeps no other from running.
MAKEFLAGS += --keep-going

# How often make failover causes each fault.
FAILOVERS = 20

# How often make torture runs each test of a race.
ROUNDS = 30

.PHONY: help test deps fmt vet race lint bench failover fuzz torture

help: ## list what there is to make
	@sed -n 's/^\([a-z]*\):[^#]*## /  \1	/p' $(MAKEFILE_LIST)

test: deps fmt vet race lint ## run all checks and tests

deps: ## install the programs that tests run, where that is permitted
	@scripts/install $(PROGRAMS)

fmt: ## check that gofmt finds nothing to do
	@files=$$(gofmt -l .) && test -z "$$files" || { echo "not formatted by gofmt:" $$files; exit 1; }

vet: ## run go vet
	@scripts/each go vet ./...

race: deps ## run the tests with the race detector
	@scripts/each go test -race -count 1 -timeout 5m ./... # never cached: they run programs

lint: ## run staticcheck
	@scripts/each go run $(STATICCHECK) ./...

bench: deps ## run the benchmarks
	@scripts/each go test -run '^$$' -bench . -benchmem ./...

torture: deps ## run the tests of races ROUNDS times over
	go test -race -timeout 60m -count $(ROUNDS) -run 'TestP(1|2|3|4|12)_' ./session ./flash

failover: deps ## count what FAILOVERS failovers of each kind lose
	FAILOVERS=$(FAILOVERS) go test -v -count 1 -timeout 120m ./internal/failover

fuzz: ## run every fuzz test for FUZZTIME
	@scripts/each $(CURDIR)/scripts/fuzz $(FUZZTIME)
