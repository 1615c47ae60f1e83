# make demo and make test are all one needs; each makes .venv first where it is missing or out of date.
# Another interpreter: make test PYTHON=python3.12. Another place for the environment: make test VENV=/tmp/venv.

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
DEMO ?= demo

BIN := $(VENV)/bin
CORE := $(VENV)/.core-installed
DEV := $(VENV)/.dev-installed
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# One thread a worker, and threads that sleep while they wait: the workers share the cores.
PYTEST := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q

.PHONY: help demo test test-all lint format clean
.NOTPARALLEL:

help:
	@echo "make demo      install into $(VENV) and run seqdl demo (offline, about three minutes)"
	@echo "make test      install the development tools too and run the tests, doctests included"
	@echo "make test-all  the same with what is slow: trainings, the browser, the notebooks"
	@echo "make lint      ruff and mypy"
	@echo "make format    let ruff put the code in order"
	@echo "make clean     remove .venv, demo/ and the caches of the tools"

$(CORE): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "seqdl needs Python 3.11 or newer, and this is %d.%d. Name another: make PYTHON=python3.12" % sys.version_info[:2])'
	@echo 'installing into $(VENV): a minute or two, and about 1.2 GB'
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) -e .
	@touch $@

$(DEV): $(CORE)
	$(PIP_INSTALL) -e '.[dev]'
	@touch $@

demo: $(CORE)
	$(BIN)/seqdl demo -o $(DEMO) --force

test: $(DEV)
	$(PYTEST)

test-all: $(DEV)
	$(PYTEST) -m "" --durations 15 --nbmake --nbmake-timeout 300 tests seqdl notebooks

lint: $(DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(DEV)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf .venv demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find seqdl tests -name __pycache__ -type d -prune -exec rm -rf {} +
