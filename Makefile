# Everything a newcomer needs: `make demo`, `make test`. Each target first sets up what it needs, once.
# Needed beforehand: Python 3.11, Java 17, Maven (and make).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The first Python 3.11 on the path whose interpreter is no shared library: one that is needs a third more time for all
# that we do. Any other will do as well.
PYTHON ?= $(shell for python in $$(which -a python3.11 2>/dev/null); do \
    "$$python" -c 'import ensurepip, sys; sys.exit("/libpython" in open("/proc/self/maps").read())' 2>/dev/null \
        && echo "$$python" && exit; done; echo python3.11)
BIN := .venv/bin
# Some environments forbid to keep byte code; every one of our many processes would then compile itself anew.
unexport PYTHONDONTWRITEBYTECODE
# What runs is installed by itself; the tools of those who change it come on top, when they are needed. Each is as old as
# what it was made from: its mark is named after the content.
RUNS := .venv/runs-$(shell cat requirements.lock pyproject.toml | cksum | cut -d' ' -f1)
TOOLS := .venv/tools-$(shell cat requirements-dev.lock requirements.lock pyproject.toml | cksum | cut -d' ' -f1)
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check
MIGRATIONS := $(sort $(wildcard medfund/*/sql/migrations/*.sql medfund/*/*/sql/migrations/*.sql services/*/*/sql/migrations/*.sql))
SCRIPTS := .ci/run

.PHONY: help
help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

.PHONY: demo
demo: broker ## publish a synthetic city, book it, and show the books
	@$(BIN)/medfund demo

CHECKS := set -x; $(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports --no-logo

# Each process has a broker and a database server of its own; a file's tests stay together.
PYTEST := $(BIN)/pytest -n 2 --dist loadfile

.PHONY: quick
quick: $(TOOLS) ## lint, types, import contracts, and what needs no server
	@$(CHECKS)
	@$(PYTEST) tests/unit tests/contract

.PHONY: test
test: $(TOOLS) broker ## every promise, on real brokers and real databases
	@SCHEDULES=60 $(PYTEST) --ignore tests/integration/faults --ignore tests/e2e/test_soak.py

.PHONY: simulate
simulate: $(TOOLS) ## many orders of events and crashes
	@$(PYTEST) tests/simulation

.PHONY: faults
faults: $(TOOLS) broker ## processes killed, servers that fail, disks that fill
	@$(PYTEST) tests/integration/faults tests/e2e/test_soak.py

.PHONY: bench
bench: $(TOOLS) broker ## measure; writes bench/results/latest.json
	@$(BIN)/python -m bench

.PHONY: claims
claims: $(TOOLS) broker ## measure a month of claims of a million settlements; writes bench/results/claims-<date>.json
	@$(BIN)/python -m bench.claims

.PHONY: soak
soak: $(TOOLS) broker ## kill worker, broker and database 50 times while a city is published; writes bench/results/soak-<date>.json
	@$(BIN)/python -m bench.soak

.PHONY: up
up: broker ## start everything on this machine and return when it is ready
	@$(BIN)/medfund up --detach

.PHONY: down
down: $(RUNS) ## stop it; the data stays
	@$(BIN)/medfund down

.PHONY: check
check: $(TOOLS) ## format, lint, types, import contracts, SQL, shell
	@$(CHECKS)
	@for file in $(MIGRATIONS); do \
	    sed '/^-- migrate:down/,$$d' "$$file" | $(BIN)/squawk --reporter gcc --stdin-filepath "$$file"; \
	done
	bash -n $(SCRIPTS)

.PHONY: lock
lock: ## pin the packages anew, with hashes and without addresses (needs uv)
	@command -v uv >/dev/null || { echo "uv is missing: install the Python package uv" >&2; exit 1; }
	uv pip compile -q --generate-hashes --no-emit-index-url --no-header --no-annotate --extra local pyproject.toml -o requirements.lock
	uv pip compile -q --generate-hashes --no-emit-index-url --no-header --no-annotate --constraint requirements.lock pyproject.toml -o requirements-run.lock
	uv pip compile -q --generate-hashes --no-emit-index-url --no-header --no-annotate --constraint requirements.lock --extra dev pyproject.toml -o requirements-dev.lock

# The broker's jars, fetched by Maven once.
.PHONY: broker
broker: $(RUNS)
	@$(BIN)/python -m medfund.local.kafka

$(RUNS): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	    || { echo "Python 3.11 is missing: install it, or say where it is with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	    || { echo "Python's venv is missing: install the package python3.11-venv" >&2; exit 1; }
	@echo "Setting up .venv with what runs: $$(grep -c == requirements.lock) packages ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@rm -f .venv/runs-* && touch $@

$(TOOLS): requirements-dev.lock $(RUNS)
	@echo "Adding the tools for tests and checks: $$(grep -c == requirements-dev.lock) packages in all ..."
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@rm -f .venv/tools-* && touch $@
