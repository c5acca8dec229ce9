# Every command here is what CI and the README use; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
export PYTHONPATH := tests
export HF_HUB_OFFLINE := 1

##@ Start here
.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: setup ## Set everything up and run the main job on a real cluster (see README)
	@$(BIN)/python -m demo

.PHONY: test
test: setup ## Set everything up and run every test (half an hour once built)
	@tests/run.sh

.PHONY: test-long
test-long: setup ## What takes too long for every change: more examples of each law, all arrivals, a real KEDA, the gate on real engines
	@$(BIN)/pytest -q -n 2 tests/properties --hypothesis-profile=long
	@$(BIN)/pytest -q -n 2 tests/long/test_*.py
	@$(BIN)/python -m cluster build && $(BIN)/python -m cluster build keda-operator keda-adapter
	@$(BIN)/pytest -q tests/long/autoscaling tests/long/gate # one cluster: one test at a time

##@ While working
.PHONY: setup
setup: .venv/ready ## Create .venv with pinned, hashed dependencies and the package itself

.venv/ready: requirements/test.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "Python 3.11 to 3.13 is needed: set PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "python3-venv is needed: apt-get install python3-venv"; exit 1; }
	@echo "installing dependencies into .venv"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/test.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q operator # pip leaves that to the first start, and some environments write no bytecode
	@touch $@

.PHONY: check
check: setup lint type unit ## Lint, types, unit, golden, properties: under a minute, no cluster

.PHONY: lint
lint: setup ## ruff and import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check -q .
	@PYTHONPATH=operator $(BIN)/lint-imports --no-cache

.PHONY: fmt
fmt: setup ## Format and fix what can be fixed
	@$(BIN)/ruff check -q --fix . ; $(BIN)/ruff format -q .

.PHONY: type
type: setup ## mypy, strict
	@$(BIN)/mypy
	@MYPYPATH=tests:images:operator $(BIN)/mypy --explicit-package-bases \
	  $$(ls -d tests/cluster tests/engine tests/router tests/standin tests/demo tests/callers tests/bench tests/accuracy tests/routing_study tests/long/autoscaling tests/long/gate images 2>/dev/null | sed 's,$$,/*.py,') \
	  tests/process_group.py tests/pinned_environment.py tests/following.py tests/controlled.py tests/scraping.py tests/operating.py

.PHONY: unit
unit: setup ## Unit, golden and property tests
	@$(BIN)/pytest -q -n 2 -m "not thorough" tests/unit tests/golden tests/properties

.PHONY: generate
generate: setup ## Regenerate CRDs, recording rules, charts' copies and reference pages
	@docs/generate.sh

.PHONY: golden
golden: setup ## Rewrite golden files; review the difference
	@$(BIN)/python -m golden.update

.PHONY: bench
bench: setup ## Print how fast and how small (ratios and figures, no pass or fail)
	@$(BIN)/python -m bench

.PHONY: fit
fit: setup ## Fit the performance model's constants to the measurements anew
	@$(BIN)/python -m accuracy fit

.PHONY: accuracy
accuracy: setup ## Write docs/reference/accuracy.md: how wrong the predictions are
	@$(BIN)/python -m accuracy report

.PHONY: routing-study
routing-study: setup ## Measure the complexity score on RouteLLM's labels (COSTPOLICY_ROUTING_DATA names their folder)
	@$(BIN)/python -m routing_study && $(BIN)/python docs/generators/everything.py .

.PHONY: lock
lock: setup ## Compile the pinned requirements anew from pyproject.toml
	@for set in operator:  test:--extra=test; do \
	  $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
	    $${set#*:} pyproject.toml -o requirements/$${set%%:*}.txt; done

##@ The local cluster
.PHONY: build
build: setup ## Build the cluster's binaries and the CPU engine into the user's cache (once)
	@$(BIN)/python -m cluster build

.PHONY: cluster-up
cluster-up: setup ## Start a real Kubernetes on this machine (CLUSTER=kind uses kind)
	@$(BIN)/python -m cluster up

.PHONY: cluster-down
cluster-down: setup ## Stop it and leave nothing behind
	@$(BIN)/python -m cluster down
