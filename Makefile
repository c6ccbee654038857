# Everything runs in .venv, which `make install` makes once and again whenever a lock file changes.
PYTHON ?= python3
export PYTHONDONTWRITEBYTECODE := # else each of the many processes compiles all anew: 2.5 s, not 0.9
BIN := .venv/bin
CODE := schemas infra webhooks workers
.DEFAULT_GOAL := check
.PHONY: install test check npm demo run crash chaos bench fmt lock

.venv/.installed: pyproject.toml requirements-dev.lock
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer: make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@
install: .venv/.installed ## make the environment
test: install ## everything that must pass, with its coverage
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder --cov --cov-report=
	$(BIN)/python tests/coverage_floor.py
check: install ## what the CI runs
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy && $(BIN)/lint-imports
	$(BIN)/codespell *.md .ci .pre-commit-config.yaml Makefile Procfile pyproject.toml tests $(CODE)
	$(MAKE) npm test
npm: install ## JavaScript libraries that tests ask, where there is npm
	@if command -v npm >/dev/null; then npm ci --silent --prefix tests/npm; else echo "no npm: its tests skip"; fi
demo: install ## a story through the real path, in two minutes
	$(BIN)/tieline demo
run: install ## the processes of the Procfile, staying up
	$(BIN)/tieline up
crash: install ## a kill, a cut, a time-out and a cancel at every named point
	$(BIN)/pytest -n logical --dist loadfile -rP -m full --no-loadscope-reorder tests/crash
chaos: install ## minutes of random faults: EVENTS=… KILLS=… PAUSES=… SEED=…
	$(BIN)/python -m tests.chaos
bench: install ## our figures beside the peers'
	$(BIN)/python -m tests.bench
fmt: install
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .
lock: install ## pin again; reads the package index
	$(BIN)/pip-compile --quiet -U -o requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet -U --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml
