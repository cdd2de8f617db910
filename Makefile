# Needs Python 3.11 or newer and make, nothing else. `make help` lists what there is.
PYTHON ?= python3
BIN := .venv/bin
TESTS ?= tests
WORKERS ?= $(if $(filter tests,$(TESTS)),2,0)
UV := uv==0.13.9
LOCKING = build/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --fork-strategy fewest \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) \
	$(foreach name,$(DISTRIBUTIONS),--no-emit-package crm-$(name))
DISTRIBUTIONS := $(notdir $(patsubst %/pyproject.toml,%,$(wildcard libs/*/pyproject.toml services/*/pyproject.toml)))

.DEFAULT_GOAL := help
.PHONY: help install run test lint format bench faults soak up down lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: ## make .venv what the lock says; leaves the command at .venv/bin/crm
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "make install: '$(PYTHON)' is not Python 3.11 or newer. Install one, or name it: make $(or $(MAKECMDGOALS),install) PYTHON=python3.12" >&2; \
		exit 1; }
	@$(PYTHON) requirements/install.py

run: install ## everything in one process on SQLite, with a sample the first time
	@$(BIN)/crm serve --sample

test: install ## all tests, over a real Kafka and a real PostgreSQL too (TESTS=path for some)
	@$(BIN)/python -m crm_servers warm
	@$(BIN)/python -m pytest -n $(WORKERS) $(TESTS)

lint: install ## format, style, types, layers, sizes, words, schemas
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/python -m tests.architecture.checks
	@$(BIN)/python -m crm_events.schemas check
	@$(BIN)/lint-imports
	@$(BIN)/mypy

format: install ## let ruff put the code in shape
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: install ## measure against raw baselines in the same run; writes build/bench.json
	@$(BIN)/python -m crm_servers warm
	@$(BIN)/python -m tests.bench

faults: install ## break it on purpose, check what must hold; writes build/faults.json (LONG=1 SEED=n ONLY=name)
	@$(BIN)/python -m crm_servers warm
	@$(BIN)/python -m tests.faults $(if $(LONG),--long) $(if $(SEED),--seed $(SEED)) $(addprefix --only ,$(ONLY))

soak: install ## kill at random for MINUTES=n under load, then check what must hold
	@$(BIN)/python -m crm_servers warm
	@$(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED)) soak $(or $(MINUTES),60)

up: install ## start the distributed form: Kafka, PostgreSQL, every role its own process
	@$(BIN)/python -m crm_servers up

down: ## stop what up started
	@$(BIN)/python -m crm_servers down

lock: ## work out requirements/*.lock again (UPGRADE=1 for the newest versions)
	@test -x build/uv/bin/uv || { $(PYTHON) -m venv build/uv && build/uv/bin/pip install --quiet "$(UV)"; }
	@$(LOCKING) requirements/dev.in -o requirements/dev.lock
	@$(LOCKING) requirements/service.in -c requirements/dev.lock -o requirements/service.lock
	@$(LOCKING) requirements/peers.in -o requirements/peers.lock

clean: ## remove what make made; homes with your data (.crm) stay
	rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find libs services tests -name __pycache__ -type d -prune -exec rm -rf {} +
	@if [ -d .crm ]; then echo "kept: .crm holds your data; remove it yourself if you mean to"; fi
