# Needs nothing but Python 3.11-3.13 with venv and a network to the package index.
.DEFAULT_GOAL := help
.PHONY: help run env test soak check bench down

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	>/dev/null 2>&1 && { echo $$p; break; }; done)
UV_VERSION := 0.13.9
UV := .uv/bin/uv

help: ## Show what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: env ## Start everything, play two nights of the sample company, say where to look
	@.venv/bin/tiers demo

PYTEST := .venv/bin/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

test: env ## Run the tests: unit, dbt, DAGs, integration, one night end to end
	@$(PYTEST) -m "not soak"

soak: env ## Run the long tests: many rounds of random changes, kills and nights
	@$(PYTEST) -m soak

check: env ## Format, lint and type checks
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/sqlfluff lint --processes 2 dbt_project/models dbt_project/tests dbt_project/macros sources
	@.venv/bin/yamllint --strict .

bench: env ## Measure nights at scale and their peers; SIZES="10:100" = 10 million lines, 100,000 customers
	@PYTHONPATH=bench .venv/bin/python -m scale $(SIZES) $(BENCH_OPTIONS)

down: ## Stop every service
	@.venv/bin/tiers down

env: .venv/.made

.venv/.made: pyproject.toml uv.lock $(UV)
	@echo "installing the environment"
	@UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --frozen --quiet --python "$(PYTHON)"
	@touch $@

$(UV):
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11, 3.12 or 3.13 with venv found; install one or give PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv .uv
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
