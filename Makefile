# make demo   see it work: three small videos, no key, no network but the package registry
# make setup  only install, into .venv; a no-op when nothing changed
# make test   everything that CI checks
# make lock   pin the newest versions that requirements/*.in allow
# make schemas  write schemas/ from the records they describe

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
# uv does not read pip's configuration: a mirror that is set there serves here too.
PIP_INDEX = $(shell $(BIN)/pip config get global.index-url 2>/dev/null)
INSTALL = $(if $(PIP_INDEX),UV_DEFAULT_INDEX=$(PIP_INDEX)) $(UV) pip install --quiet --compile-bytecode \
	--python $(BIN)/python --require-hashes $(foreach lock,$^,-r $(lock))

.PHONY: demo setup test lint lock schemas
.DELETE_ON_ERROR:

demo: setup
	$(BIN)/snakemake -j4 --configfile demo/config.yaml
	@printf '\nReports: %s\nAll of them: %s\n' '$(CURDIR)/demo/results/reports' '$(CURDIR)/demo/results/index.html'

setup: .venv/installed

test: .venv/installed-dev .venv/installed-storage .venv/installed-cluster lint
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --cov

lint: .venv/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint --configfile demo/config.yaml
	$(BIN)/mypy

# Each list of hashes is a prerequisite, so a changed lock file, and only that, installs again.
# Everything is compiled here, once: not all machines let programs keep what they compiled.
.venv/installed: requirements/gemini.txt requirements/local.txt | $(UV)
	$(INSTALL)
	$(BIN)/python -m compileall -q scripts
	@touch $@

.venv/installed-dev: requirements/dev.txt | $(UV)
	$(INSTALL)
	$(BIN)/python -m compileall -q scripts
	@touch $@ .venv/installed

# Apart: Snakemake would load them at each start.
.venv/installed-storage .venv/installed-cluster: .venv/installed-%: requirements/%.txt | $(UV)
	$(INSTALL) --target .venv/$*
	@touch $@

$(UV): requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'reelmake needs Python 3.11 or newer; `make $(MAKECMDGOALS) PYTHON=python3.12` names another one.'; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# The versions of all are found together, in dev, so that every list agrees.
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --custom-compile-command 'make lock'
lock: $(UV)
	$(COMPILE) --upgrade requirements/dev.in -o requirements/dev.txt
	$(COMPILE) requirements/gemini.in -c requirements/dev.txt -o requirements/gemini.txt
	$(COMPILE) requirements/local.in -c requirements/dev.txt -o requirements/local.txt
	$(COMPILE) requirements/youtube.in -c requirements/dev.txt -o requirements/youtube.txt
	$(COMPILE) requirements/storage.in -c requirements/dev.txt -o requirements/storage.txt
	$(COMPILE) requirements/cluster.in -c requirements/dev.txt -o requirements/cluster.txt
	$(COMPILE) requirements/uv.in -c requirements/dev.txt -o requirements/uv.txt
	$(BIN)/python requirements/write_envs.py

schemas: .venv/installed
	PYTHONPATH=scripts $(BIN)/python -m reelmake.schemas
