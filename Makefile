# Everything starts from the checkout: each target first makes or checks .venv, which costs 0.1 s when nothing changed.
SHELL := /bin/bash
PYTHON3 := $(or $(shell command -v python3 python3.13 python3.12 python3.11 | head -n 1),python3)
PY := .venv/bin/python
COPILOT := .venv/bin/erp-copilot
BOOTSTRAP := $(PYTHON3) -I copilot/bootstrap.py
PYTEST := $(PY) -m pytest -q
ODOO := ../shared/odoo/odoo
FAST := not odoo and not browser and not slow
# A file of tests stays in one process: its tests share a copy of the company.
PARALLEL := -n logical --maxprocesses 4 --dist loadfile

# A tool that is not here: said and passed over at a desk, a failure in CI.
MISSING = { echo "skipped: $(1)"; [ "$$CI" != true ]; exit; }

.DEFAULT_GOAL := help
.PHONY: help run test lint test-odoo test-browser proofs bench lock clean

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

run: ## start the copilot with its demo company on 127.0.0.1:8000
	@$(BOOTSTRAP) && exec $(COPILOT) run

test: ## every test that needs nothing but pip
	@$(BOOTSTRAP) --dev && exec $(PYTEST) $(PARALLEL) -m "$(FAST)" $(wildcard tests/unit tests/integration tests/acceptance)

lint: ## ruff, basedpyright and import-linter
	@$(BOOTSTRAP) --tools
	@status=0; \
	for check in "ruff check" "ruff format --check" "basedpyright" "lint-imports --no-logo"; do \
	  echo "-- $$check"; .venv/bin/$$check || status=1; \
	done; exit $$status

test-odoo: ## the tests against a real Odoo 19, started for them where it is not running
	@[ -x $(ODOO) ] || $(call MISSING,no Odoo at $(ODOO)); \
	$(BOOTSTRAP) --dev || exit; \
	$(ODOO) status >/dev/null 2>&1 || trap '$(ODOO) stop' EXIT; \
	$(ODOO) start >/dev/null && $(PYTEST) -m odoo tests

test-browser: ## the tests that click through the page in a Chromium
	@command -v chromium >/dev/null || $(call MISSING,no chromium on the PATH); \
	$(BOOTSTRAP) --tools && exec $(PYTEST) -m browser tests

proofs: ## the long suites into build/proofs.json; ONLY=name for one, SAMPLE=1 for a sample of each
	@$(BOOTSTRAP) && exec $(COPILOT) proofs $(if $(ONLY),--only $(ONLY)) $(if $(SAMPLE),--sample)

bench: ## the measurements into build/bench.json; ONLY=name for one part. Odoo is measured where it is running
	@$(BOOTSTRAP) && if $(ODOO) status >/dev/null 2>&1; then export $$($(ODOO) start 2>/dev/null | grep ^ODOO_); fi; \
	exec $(COPILOT) bench $(if $(ONLY),--only $(ONLY))

LOCK := .venv/bin/uv --quiet pip compile --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)
# Nothing may need a compiler: a wheel for every Python on every platform, but for three plain Python packages.
CHECK := .venv/bin/uv --quiet pip install --dry-run --target build/none --require-hashes --no-deps --no-build-isolation \
	--only-binary :all: --no-binary cuid --no-binary literalai --no-binary syncer

lock: ## resolve the lock files afresh (UPGRADE=1 takes the newest of everything)
	@$(BOOTSTRAP) --tools
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) -c requirements.lock --group test -o requirements-dev.lock
	$(LOCK) -c requirements.lock -c requirements-dev.lock --group tools -o requirements-tools.lock
	$(LOCK) -c requirements.lock --group keyring -o requirements-keyring.lock
	$(LOCK) -c requirements.lock --group databases -o requirements-databases.lock
	$(LOCK) --group peers -o requirements-peers.lock
	@set -e; for platform in x86_64-manylinux_2_28 aarch64-manylinux_2_28 aarch64-apple-darwin; do \
	  for python in 3.11 3.12 3.13; do for lock in requirements*.lock; do \
	    $(CHECK) --python-platform $$platform --python-version $$python -r $$lock; \
	  done; done; \
	done; echo "Every locked package has its wheels."

clean: ## remove the environment and everything built; the data folder stays
	rm -rf .venv .venv-peers build dist *.egg-info .hypothesis .pytest_cache .ruff_cache .import_linter_cache
