# make chat    the terminal client, with a broker of your own if none runs yet
# make web     a broker of your own, and the gateway that serves it to browsers and phones
# make test    every check: style, types, tests with coverage
# make demo    a broker and three scripted people go through every command
# make bench   throughput, times, CPU and memory, measured on this machine
# make faults  the guarantees under seeded faults and hostile peers; ARGS names a scenario
# make clean   what the others have made
#
# Needs Python 3.11 or newer and nothing else; all that is installed lands in .venv.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; \
	done)
VENV := .venv
BIN := $(VENV)/bin
INSTALL = $(or $(PYTHON),python3) scripts/install.py $(VENV)
PACKAGES := broker client common

.PHONY: chat web test demo bench faults clean

chat: $(VENV)/.installed
	@$(BIN)/tertulia $(ARGS)

web: $(VENV)/.installed-web
	@$(BIN)/tertulia-broker serve --web $(ARGS)

demo: $(VENV)/.installed
	@$(BIN)/python -m docs.examples.demo

bench: $(VENV)/.installed-test
	@$(BIN)/python -m bench $(ARGS)

faults: $(VENV)/.installed-test
	@$(BIN)/python -m tests.faults $(or $(ARGS),--help)

test: $(VENV)/.installed-test
	@$(BIN)/python scripts/check.py $(ARGS)

$(VENV)/.installed: setup.cfg pyproject.toml scripts/install.py
	@$(INSTALL)

$(VENV)/.installed-web: setup.cfg pyproject.toml scripts/install.py
	@$(INSTALL) web

$(VENV)/.installed-test: setup.cfg pyproject.toml scripts/install.py
	@$(INSTALL) test

clean:
	rm -rf $(VENV) .tox .coverage .coverage.* htmlcov build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -rf docs/examples/node/node_modules
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
