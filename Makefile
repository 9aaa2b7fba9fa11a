# cxhub: `make demo` is all a newcomer needs. CXHUB_PORT (8000) and CXHUB_VAR (./var) choose port and data folder,
# CXHUB_PUBLIC_URL the address providers see, PYTHON the interpreter that .venv is made with.
.DEFAULT_GOAL := help
.PHONY: help demo serve test lint format types migrations-check deploy-check audit bench screenshots faults soak lock clean env env-dev env-peer

PY := .venv/bin/python
# Only so that settings can be read where nothing is signed and no server is asked.
BARE := CXHUB_SECRET_KEY=only-for-checks-that-read-the-settings-once
T ?=
# Compiling every module anew in each process takes a test run minutes.
unexport PYTHONDONTWRITEBYTECODE

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile
	@echo
	@sed -n '1,2s/^# //p' Makefile

demo: env ## Everything on this machine, with a demo history, in the foreground
	@exec $(PY) -m cxhub.launcher demo

serve: env ## The same without demo data
	@exec $(PY) -m cxhub.launcher serve

test: env-dev ## All tests, on servers of their own (or on DATABASE_URL and REDIS_URL); T="-k phone" selects
	@$(PY) -m pytest -n 4 --dist worksteal $(T)

lint: env-dev ## ruff: rules and format
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

format: env-dev ## ruff puts right what it can
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

types: env-dev ## mypy, strict
	@$(BARE) $(PY) -m mypy

migrations-check: env-dev ## Whether every change of a model has its migration
	@$(PY) manage.py makemigrations --check --dry-run

deploy-check: env-dev ## Django's check of the settings for production
	@$(BARE)-and-not-to-be-guessed-by-0123456789 CXHUB_PUBLIC_URL=https://cxhub.example.org CXHUB_VAR=$$(mktemp -d) sh -c \
	    '$(PY) manage.py check --deploy --fail-level WARNING; code=$$?; rm -rf "$$CXHUB_VAR"; exit $$code'

audit: ## Whether a pinned dependency has a known vulnerability (asks the package index, by pip-audit)
	@.ci/audit

bench: env-peer ## The measured promises (SCALE=200k interactions by default), over loopback against the real processes
	@$(PY) -m tests.bench

faults: env-dev ## Kills, freezes and fills real processes and servers under load (5 minutes)
	@$(PY) -m pytest tests/faults $(T)

soak: env-dev ## 20,000 operations on identities, 10 minutes of faults, 200,000 waiting events (OPERATIONS, MINUTES, BACKLOG, SEED)
	@$(PY) -m tests.soak

screenshots: env-dev ## Each page of a throw-away demo in both themes, below var/screenshots (KEEP=1: the best into docs)
	@$(PY) -m tests.screenshots $(if $(KEEP),--keep)

env: ## .venv with what cxhub needs to run
	@sh cxhub/setup.sh run

env-dev: ## .venv with what tests, lint and types need too
	@sh cxhub/setup.sh dev

env-peer: ## .venv with what the benchmarks need too
	@sh cxhub/setup.sh peer

# Hashes and no addresses: where packages come from is the business of whoever installs them.
LOCK := uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header --no-emit-index-url --no-emit-find-links
lock: ## Pin the requirement files anew (needs uv)
	@$(LOCK) requirements.in -o requirements.txt
	@$(LOCK) requirements-dev.in -o requirements-dev.txt
	@$(LOCK) requirements-peer.in -o requirements-peer.txt
	@! grep -n '://' requirements.txt requirements-dev.txt requirements-peer.txt

clean: ## Remove the environment and caches (the data in var stays)
	@rm -rf .venv static .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
