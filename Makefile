# Needs make and python3 (with venv or pip); everything else is fetched into this folder.
# Packages come from uv.lock, exactly as locked.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
PYTHON ?= python3
BIN := .venv/bin
PYTEST_ARGS ?=
ROOMS ?=
COVERED = $(or $(ROOMS),trading execution monitor allocation risk)
SYNC = .tools/uv sync --frozen --compile-bytecode $$([ -t 2 ] || echo -q)
KERNEL = $(BIN)/python -c 'from strikeloom.runner.kernel import ensure_kernel; ensure_kernel(); from strikeloom.quant.implied.engine import load; load()'

.PHONY: help setup demo test check coverage mutation bench soak lab notebooks lock clean

help:  ## this list
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## (.*)/\1|\2/' | \
		while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

setup: .venv/.ready  ## .venv with everything, from the lock
	@echo "Ready. Try: make demo"

demo: .venv/.runs  ## a whole synthetic day through the notebooks, then the monitor page
	@exec $(BIN)/strikeloom demo

test: .venv/.ready  ## every test, with a browser
	@.ci/browser
	@exec $(BIN)/pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

check: .venv/.ready  ## lint, format, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

coverage: .venv/.ready  ## lines and branches that a room's own tests miss; ROOMS="quant nse" for others
	@exec $(BIN)/pytest -q $(foreach room,$(COVERED),--cov=strikeloom.$(room) tests/$(room)) $(PYTEST_ARGS)

mutation: .venv/.ready  ## wrong lines that no test of their room notices; ROOMS="risk charges" for some
	@$(SYNC) --group mutation
	@exec nice -n 10 $(BIN)/python tests/mutation/run.py $(ROOMS)

bench: .venv/.ready  ## figures of this machine, against the bars
	@set -e; for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

soak: .venv/.ready  ## ten-minute loads of the local exchange; the suite runs a fiftieth
	@set -e; for file in benchmarks/soak/*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

lab: .venv/.runs  ## JupyterLab on the notebooks
	@exec $(BIN)/jupyter lab --notebook-dir=notebooks

notebooks: .venv/.ready  ## run the notebooks again and keep their outputs
	@exec $(BIN)/python tests/notebooks/refresh.py

lock: .tools/uv  ## refresh uv.lock and requirements.txt from pyproject.toml
	@.tools/uv lock
	@.tools/uv export --frozen --no-hashes --no-emit-project --no-dev --no-header --no-annotate \
		-q -o requirements.txt

clean:  ## remove environments and caches; never the home or runs
	@rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What it takes to run: without the packages that only tests need. Never takes those away.
.venv/.runs: uv.lock pyproject.toml | .tools/uv
	@echo "Setting up .venv (a minute or two the first time)"
	@$(SYNC) --no-dev --inexact
	@$(KERNEL)
	@touch $@

.venv/.ready: uv.lock pyproject.toml | .tools/uv
	@echo "Setting up .venv with the tests' packages (a minute or two the first time)"
	@$(SYNC)
	@$(KERNEL)
	@touch .venv/.runs $@

.tools/uv:
	@PYTHON=$(PYTHON) .ci/uv
