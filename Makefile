# Everything sets itself up: a virtual environment in .venv, installed once per change of pyproject.toml or constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
STAMP := $(VENV)/.installed
# Tests start many processes: each would compile the package anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test quick check lint style types docs format hooks clean

help:
	@echo "make demo   build a dataset from three made sensors, stream it, leave a contact sheet in demo-out/"
	@echo "make test   run all tests, in WORKERS processes (2)"
	@echo "make quick  run the unit tests of what changed since main, in under a minute"
	@echo "make check  format, lint, types, import floors and tests: what CI runs"
	@echo "make docs   build the documentation site into site/, strictly"
	@echo "make hooks  run format, lint and import floors before every commit (needs pre-commit)"
	@echo "make format rewrite the code in the project's format"
	@echo "make clean  remove what these leave behind, but not .venv"

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "rsflow needs Python 3.11 or newer, found " + sys.version.split()[0] + ": make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV): this takes a few minutes, once"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[train,vlm,tune,view,docs,dev]"
	touch $(STAMP)

demo: $(STAMP)
	$(BIN)/python -m rsflow.demo demo-out

test: $(STAMP)
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

quick: $(STAMP)
	$(BIN)/python -m tests.quick

lint: style types

style: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: $(STAMP)
	$(BIN)/mypy

docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# mypy is one process, and tests wait now and then: side by side they take a minute less.
check: style
	$(MAKE) --jobs 2 types test

hooks:
	pre-commit install

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf demo-out site build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
