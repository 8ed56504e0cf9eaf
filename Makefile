# Two commands on a fresh Debian with Python 3.11: `make demo` and `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev

.PHONY: demo test lint bench bench-privacy chaos stories recount storm screenshots browser sshd clean

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

# The browser tests drive Debian's Chromium. Without it they fail: a missing browser is no reason to skip.
browser:
	@command -v chromium >/dev/null || { \
	  if [ "$$(id -u)" = 0 ]; then \
	    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium; \
	  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then \
	    sudo apt-get update -q && sudo DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium; \
	  else echo "The browser tests need Chromium. Try: sudo apt-get install chromium" >&2; exit 1; fi; }

# The tunnel over ssh is tried with Debian's OpenSSH server, which each test starts for itself. Without it they fail.
sshd:
	@test -x /usr/sbin/sshd || { \
	  if [ "$$(id -u)" = 0 ]; then \
	    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends openssh-server; \
	  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then \
	    sudo apt-get update -q && sudo DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends openssh-server; \
	  else echo "The tests of the tunnel need OpenSSH's server. Try: sudo apt-get install openssh-server" >&2; exit 1; fi; }

clean:
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
