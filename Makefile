# Two commands do everything on a machine with Python 3.11+ and make:
#   make demo    synthesise an Otrack-like data set, assess it, print the path of the report
#   make test    lint, types, tests
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test test-slow lock clean

demo: $(VENV)/.run
	$(BIN)/otrack-risk demo

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-slow: $(VENV)/.test
	$(BIN)/python -m pytest -m slow

# uv installs the hashed lock five times faster than pip; where it cannot be had, pip reads the same file.
install = $(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt && \
	  VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r $(1) || \
	  $(BIN)/python -m pip install --quiet --require-hashes -r $(1)

$(VENV)/.made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "otrack_risk needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.run: requirements/run.txt pyproject.toml $(VENV)/.made
	@echo "Installing into $(VENV) (once) ..."
	$(call install,requirements/run.txt)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.run
	@echo "Installing what the tests need (once) ..."
	$(call install,requirements/test.txt)
	touch $@

# Writes the locks anew from pyproject.toml; neither names a package index.
compile = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11
lock: $(VENV)/.made
	$(BIN)/python -m pip install --quiet uv
	$(compile) requirements/uv.in -o requirements/uv.txt
	$(compile) pyproject.toml requirements/build.in -o requirements/run.txt
	$(compile) pyproject.toml requirements/build.in --extra dev --extra spark --extra browser --extra postgres --extra sign -c requirements/run.txt -o requirements/test.txt

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
