# Two commands on a fresh Debian with Python 3.11: `make demo` and `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev

.PHONY: demo test lint binary binutils bench bench-privacy chaos stories recount storm screenshots browser sshd clean

demo: $(RUN_STAMP)
	$(BIN)/pamosnik demo $(ARGS)

# Three at a time: most tests wait for a process, a disk or a clock. What is compiled is kept, for each worker and each
# of the programs that tests start would compile it again.
test: export PYTHONDONTWRITEBYTECODE =
test: $(DEV_STAMP) browser sshd lint
	$(BIN)/python -m pytest -n 3 --dist worksteal

lint: $(DEV_STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# The single executable, in dist/, and its trial without Python: one file to carry, and a folder that starts at once.
# PyInstaller needs a libpython: that of Debian's package libpython3.11, or a Python built with --enable-shared.
binary: $(DEV_STAMP) binutils build/binary/.installed
	rm -rf dist/pamosnik-*-linux-*
	build/binary/venv/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall .
	build/binary/venv/bin/python -I binary/build.py
	$(BIN)/python -m pytest -n 2 binary

bench: $(DEV_STAMP)
	$(BIN)/python -m bench

# Deletions and exports of a large home while webhooks keep arriving: make bench-privacy ARGS="--people 20000".
bench-privacy: $(DEV_STAMP)
	$(BIN)/python -m bench.privacy $(ARGS)

# Kills and faults for a few minutes, then the ledger: make chaos ARGS="--people 600 --kills 20".
# A kill at every commit and around every request of a small story, one by one: make chaos ARGS=--walk.
# Flows that are changed while customers are in them: make chaos ARGS="--changes 60 --people 80 --kills 10".
chaos: $(DEV_STAMP)
	$(BIN)/python -m tests.crash.chaos $(ARGS)

# Whole stories made up at random, ten times as many as `make test` tries.
stories: $(DEV_STAMP)
	STORIES=10 $(BIN)/python -m pytest -n 2 --dist worksteal tests/conversations/test_any_sequence.py \
	  tests/conversations/test_any_replay.py tests/conversations/test_any_change.py

# Ten thousand things happen at two shops; then every number of every page, file and answer is counted anew from the rows:
# make recount ARGS="--seed 7 --number 2000".
recount: $(DEV_STAMP)
	$(BIN)/python -m tests.recount build/recount $(ARGS)

# A viral hour and 36 hours of outage in minutes, at full size: make storm ARGS="--comments 20000".
storm: $(DEV_STAMP)
	$(BIN)/python -m tests.daemon.storm $(ARGS)

# The pictures of docs/page.md: of the demo's shop, in Chromium. Emoji need a font: apt-get install fonts-noto-color-emoji.
screenshots: $(DEV_STAMP) browser
	$(BIN)/python -m tests.browser.screenshots docs/pictures

# Installing what is locked, by hash; pip's own cache makes the second time quick.
$(RUN_STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(DEV_STAMP): requirements-dev.lock $(RUN_STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

build/binary/.installed: requirements-binary.lock
	test -x build/binary/venv/bin/python || $(PYTHON) -m venv build/binary/venv
	build/binary/venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-binary.lock
	touch $@

# What tests and the executable need of Debian: make installs it where it may. Without it they fail, for a missing
# browser is no reason to skip.
define from_debian
	@command -v $(1) >/dev/null || { \
	  set -- apt-get install -y -q --no-install-recommends $(2); \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -q && DEBIAN_FRONTEND=noninteractive "$$@"; \
	  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then \
	    sudo apt-get update -q && sudo DEBIAN_FRONTEND=noninteractive "$$@"; \
	  else echo "$(3) Try: sudo apt-get install $(2)" >&2; exit 1; fi; }
endef

browser:
	$(call from_debian,chromium,chromium,The browser tests need Chromium.)

sshd:
	$(call from_debian,/usr/sbin/sshd,openssh-server,The tests of the tunnel need OpenSSH's server.)

binutils:
	$(call from_debian,objcopy,binutils,PyInstaller needs objcopy and strip.)

clean:
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
