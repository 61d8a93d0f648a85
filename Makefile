# `make help` lists the targets. The first one that needs it makes the environment.

VENV ?= .venv
VENV_MIN ?= .venv-min
BENCH ?= $(patsubst benchmarks/bench_%.py,%,$(sort $(wildcard benchmarks/bench_*.py)))
PYTEST_ARGS ?=

# The first interpreter that runs and is new enough, unless PYTHON names one.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
ifndef PYTHON
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 \
	python; do \
	if $$python -c "$(NEW_ENOUGH)" 2>/dev/null; then echo $$python; break; fi; done)
endif

PY := $(VENV)/bin/python
PY_MIN := $(VENV_MIN)/bin/python
READY := $(VENV)/.installed
READY_DOCS := $(VENV)/.installed-docs
READY_DIST := $(VENV)/.installed-dist
READY_MIN := $(VENV_MIN)/.installed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help env demo label-demo browser test test-slow test-min lint format bench docs dist clean distclean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) \
		| awk -F ':.*## ' '{ printf "  make %-11s%s\n", $$1, $$2 }'

env: $(READY) ## make the environment in .venv

demo: $(READY) ## cluster the digits from pairs: prints a table, draws a picture
	$(PY) -m benchmarks.demo

label-demo: $(READY) ## compare digits in the browser; answers are kept in label-demo/
	@mkdir -p label-demo
	$(PY) -m skpairclust.label digits --clusters 10 --answers label-demo/digits.jsonl

browser: $(READY) ## install the browser that tests of the page use, if there is none
	$(PY) -m tests.label.browser || .ci/browser $(PY)

test: $(READY) ## run the tests and doctests, except the slow ones
	$(PY) -m pytest -m "not slow" $(PYTEST_ARGS)

test-slow: $(READY) ## run the slow tests only
	$(PY) -m pytest -m slow $(PYTEST_ARGS)

test-min: $(READY_MIN) ## run the tests with the oldest supported versions
	$(PY_MIN) -m pytest -m "not slow" $(PYTEST_ARGS)

dist: $(READY_DIST) ## build sdist and wheel in dist, and check them
	rm -rf build dist
	$(PY) -m build --no-isolation
	$(PY) -m twine check --strict dist/*

lint: $(READY) ## check style, formatting, spelling and types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m codespell_lib
	$(PY) -m mypy
	$(PY) -m pyright --pythonpath $(PY)

format: $(READY) ## format the code and fix what can be fixed
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: $(READY) ## run the benchmarks (BENCH="losses training" for some)
	@set -e; for name in $(BENCH); do \
		echo "== $$name"; $(PY) -m benchmarks.bench_$$name; done

docs: $(READY_DOCS) ## build the pages in docs/_build/html; warnings are errors
	$(PY) -m sphinx -W --keep-going -b html -d docs/_build/doctrees \
		docs docs/_build/html

clean: ## remove caches and build products
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .coverage htmlcov
	rm -rf docs/_build docs/auto_examples docs/generated docs/api/skpairclust*.rst
	find skpairclust tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## and the environments
	rm -rf $(VENV) $(VENV_MIN)

# So that checkers of types find the package: they do not run the import hook that pip
# would install.
EDITABLE := --config-settings editable_mode=compat -e

# A stamp is written after everything is installed and outdated by a changed list.
$(READY): pyproject.toml skpairclust/_version.py requirements/lock.txt | $(PY)
	$(PY) -m pip install $(EDITABLE) ".[test,browser,export,lint,plot,progress,bench]" -c requirements/lock.txt
	@touch $@

# Over the environment of the tests, which do without what it adds.
$(READY_DOCS): $(READY)
	$(PY) -m pip install $(EDITABLE) ".[docs]" -c requirements/lock.txt
	@touch $@

$(READY_DIST): $(READY)
	$(PY) -m pip install $(EDITABLE) ".[dist]" -c requirements/lock.txt
	@touch $@

$(READY_MIN): pyproject.toml skpairclust/_version.py requirements/min.txt | $(PY_MIN)
	$(PY_MIN) -m pip install $(EDITABLE) ".[test]" -c requirements/min.txt
	@touch $@

# --clear, because a folder without an interpreter is a leftover of a failed try.
$(PY) $(PY_MIN):
	@$(or $(PYTHON),false) -c "$(NEW_ENOUGH)" || { \
		echo "Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python" >&2; \
		exit 1; }
	$(PYTHON) -m venv --clear $(patsubst %/bin/python,%,$@) || { \
		rm -rf $(patsubst %/bin/python,%,$@); \
		echo "No virtual environment could be made. On Debian and Ubuntu:" \
			"apt install python3-venv" >&2; \
		exit 1; }
