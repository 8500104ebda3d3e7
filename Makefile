# The ways to work with this repository. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

.PHONY: help deps build run test format lint soundness test-tsan stress torture moments bitflips fuzz docs smoke bench bench-peers \
	bench-allocations bench-latency bench-growth deploy-check clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install the system packages that the build and the checks need
	@scripts/install-packages.sh test

build: ## build everything in debug mode; warnings are errors
	@scripts/install-packages.sh build
	CONTRAIL_STRICT=1 swift build --build-tests

run: export PORT ?= 8080
run: export VAR ?= var
run: ## build and start the example service on 127.0.0.1:PORT (8080), with its trail in VAR (var)
	@scripts/run.sh

test: ## run every check; STAGES="soundness tests" runs some of them
	@scripts/test.sh

format: ## lay the Swift sources out
	swift format format --in-place --parallel --recursive $(wildcard Package.swift Sources Tests Examples Fuzz migrations Benchmarks/Package.swift Benchmarks/Sources Benchmarks/Benchmarks)

lint: ## check the layout of the Swift sources and the shell scripts
	@scripts/install-packages.sh test
	@scripts/soundness.sh format shell

soundness: ## run the checks that need no build
	@STAGES=soundness scripts/test.sh

test-tsan: ## run the tests of the core modules under the thread sanitizer
	@STAGES=tsan scripts/test.sh

stress: ## 100,000 programs, 10 million contexts, 64 busy tasks under the thread sanitizer
	@scripts/stress.sh

torture: export KILLS ?= 2000
torture: ## kill a recording process KILLS times (2,000) and hold its trail against what was promised; SEED=N repeats a run
	@scripts/install-packages.sh build
	swift run -c release --scratch-path .build-torture torture --kills $(KILLS) $(if $(SEED),--seed $(SEED))

moments: export CASES ?= 100000
moments: ## ask a trail of a million changes for g at CASES (100,000) random moments, against a table in memory; SEED=N repeats a run
	@scripts/install-packages.sh build
	swift run -c release --scratch-path .build-torture moments --cases $(CASES) $(if $(SEED),--seed $(SEED))

bitflips: export FLIPS ?= 100000
bitflips: ## turn FLIPS bits (100,000) of a trail, one at a time: what changes it must be found; SEED=N repeats a run, CUT=1 takes one that retention has cut, CRASHED=1 one whose first run was killed
	@scripts/install-packages.sh build
	swift run -c release --scratch-path .build-torture bitflips --flips $(FLIPS) $(if $(SEED),--seed $(SEED)) $(if $(CUT),--cut) $(if $(CRASHED),--crashed)

fuzz: export FUZZ_SECONDS ?= $(or $(SECONDS),600)
fuzz: ## look for rings and stored values that the readers cannot take, SECONDS (600) for each of the two fuzzers
	@scripts/install-packages.sh build
	@scripts/fuzz.sh

docs: ## make the documentation of the module Contrail as static pages in .build-docs/site
	@scripts/docs.sh

smoke: ## build in release mode, start the example service and hold its trail against real requests
	@STAGES="release smoke" scripts/test.sh

bench: ## measure contexts, variables, the drain, recovery and the queries of the trail in release mode
	@scripts/install-packages.sh build
	swift package --package-path Benchmarks --disable-sandbox benchmark --no-progress --target ContextCosts
	swift run -c release --package-path Benchmarks DrainRate
	swift run -c release --package-path Benchmarks DrainRate --recovery
	swift run -c release --package-path Benchmarks TrailQueries

bench-peers: ## measure contexts and variables against Flask, in turns; STRICT=1 fails on a missed bar
	@scripts/install-packages.sh build
	@scripts/bench-peers.sh

bench-latency: ## measure one record while disk and processors are busy, and trace its system calls; STRICT=1 fails on a missed bar
	@scripts/install-packages.sh trace
	@scripts/bench-latency.sh

bench-growth: export SIZES ?= 1000000 10000000 50000000
bench-growth: ## grow one trail to SIZES (1, 10 and 50 million) events, and compare the drain and point queries at each; takes 10 GB
	@scripts/install-packages.sh build
	swift run -c release --package-path Benchmarks DrainRate --growth $(SIZES)

bench-allocations: ## count the heap allocations of contexts and variables; a read that makes one fails
	@scripts/install-packages.sh build
	swift run -c release --package-path Benchmarks ScopeAllocations

deploy-check: ## check the systemd unit, the Dockerfile and the steps of the image
	@STAGES="release deploy" scripts/test.sh

clean: ## remove what builds leave behind; trails in var/ stay
	rm -rf .build .build-tsan .build-stress .build-torture .build-fuzz .build-docs Benchmarks/.build
