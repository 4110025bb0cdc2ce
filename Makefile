# make run: a demo node in the foreground.  make test: every test this machine can run.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
DEMO   ?= demo

FUZZ_SECONDS ?= 20
FUZZ_JOBS ?= 2
TEST_JOBS ?= 2

.PHONY: run test lint types bench fuzz clean

$(VENV)/.run: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "unitymail needs Python 3.11 or later; say which with make PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || \
	  { echo "The venv module is missing: on Debian, apt-get install python3-venv"; exit 1; }
	@echo "Installing what unitymail needs into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --config-settings editable_mode=compat
	@touch $@

$(VENV)/.test: $(VENV)/.run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]' --config-settings editable_mode=compat
	@touch $@

$(VENV)/.lint: $(VENV)/.test
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,lint]' --config-settings editable_mode=compat
	@touch $@

run: $(VENV)/.run
	@test -f $(DEMO)/unitymail.toml || $(BIN)/unitymail init $(DEMO) --demo --listen 127.0.0.1 >/dev/null
	@exec $(BIN)/twistd --nodaemon --pidfile= unitymail --config $(DEMO)/unitymail.toml

# Many tests wait for something: TEST_JOBS processes share the files among them, in their own order, which ends with
# short ones.
test: $(VENV)/.test
	@$(BIN)/python -m pytest tests --numprocesses $(TEST_JOBS) --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.lint
	@$(BIN)/ruff check .

types: $(VENV)/.lint
	@$(BIN)/mypy unitymail

$(VENV)/.fuzz: $(VENV)/.test
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,fuzz]' --config-settings editable_mode=compat
	@touch $@

# Each parser for FUZZ_SECONDS, FUZZ_JOBS at a time; what breaks one is kept in fuzz/found, and the exit status is 1.
fuzz: $(VENV)/.fuzz
	@$(BIN)/python -m fuzz --seconds $(FUZZ_SECONDS) --jobs $(FUZZ_JOBS)

bench: $(VENV)/.test
	@$(BIN)/python benchmarks/issue.py

clean:
	rm -rf $(VENV) build *.egg-info
