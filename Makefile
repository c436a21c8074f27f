# Playbill. `make demo` for a first look, `make test` for everything, `make help` for the rest.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check -qq install --constraint constraints.txt
T ?= tests
# A whole run is shared among processes (see docs/testing.md); for a part they are not worth their start.
# One more of them than there are cores: some always wait for a clock.
SHARED = --numprocesses=$$(($$(getconf _NPROCESSORS_ONLN) + 1)) --maxprocesses=6 --dist=loadgroup --no-loadscope-reorder

.PHONY: help demo test races lint format migrate bench screenshots clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/site ## Run the whole shop with stand-ins of Stripe, Kollus and mail on 127.0.0.1:8000
	@$(BIN)/playbill demo $(if $(RESET),--reset)

test: $(VENV)/test ## Run every test, on SQLite and MariaDB and in Chromium (T=path runs a part)
	@scripts/require mariadb-server chromium chromium-headless-shell fonts-noto-cjk
	@$(BIN)/pytest $(if $(filter tests,$(T)),$(SHARED)) $(T)

races: $(VENV)/test ## A hundred buyers and histories of three tabs: nobody pays twice (make test has ten of each)
	@scripts/require mariadb-server
	@HISTORIES=100 $(BIN)/pytest tests/faults/test_paid_twice.py

lint: $(VENV)/dev node_modules/.installed ## Check style and types, of Python and of static/js
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@node_modules/.bin/tsc --project jsconfig.json

format: $(VENV)/dev ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

migrate: $(VENV)/site ## Bring the database of PLAYBILL_DATABASE_URL up to date
	@$(BIN)/playbill migrate

bench: $(VENV)/test ## Requests per second and latencies, each beside a bare Sanic answer
	@$(BIN)/python -m tests.bench

screenshots: $(VENV)/test ## Make the pictures of the README
	@scripts/require chromium-headless-shell fonts-noto-cjk
	@$(BIN)/python -m tests.browser.screenshots

clean: ## Remove what was installed here, and the demo's data
	@rm -rf $(VENV) node_modules var

$(VENV)/pip:
	@scripts/require python3-venv
	@"$$(scripts/python)" -m venv $(VENV)
	@touch $@

$(VENV)/site: $(VENV)/pip setup.cfg constraints.txt
	@echo "Installing Playbill's dependencies …"
	@$(PIP) --editable '.[demo]'
	@touch $@

$(VENV)/test: $(VENV)/site
	@$(PIP) --editable '.[demo,test]'
	@touch $@

$(VENV)/dev: $(VENV)/test
	@$(PIP) --editable '.[demo,test,dev]'
	@touch $@

node_modules/.installed: package.json package-lock.json
	@scripts/require nodejs npm
	@npm ci --loglevel=error >/dev/null
	@touch $@
