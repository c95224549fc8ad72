# `make run` serves, `make test` tests, `make help` lists the rest. Everything is created in .venv, var and dist.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet install --require-hashes

.DELETE_ON_ERROR:

PYTEST := $(BIN)/pytest -n auto --dist worksteal

.PHONY: help setup run wheel quick test faults rehearse bench check format lock clean

help:
	@echo "make run       serve on http://127.0.0.1:$${PORT:-8000}: made-up data, or the API's if OPENAI_API_KEY is set"
	@echo "make quick     run the unit and view tests: a minute and a half"
	@echo "make test      run all tests that this machine can run; TESTS=path runs some"
	@echo "make check     lint, types, import contracts, templates, migrations, deployment settings"
	@echo "make format    fix lint errors and format the code"
	@echo "make faults    run the tests of every row of docs/faults.md, and print the results"
	@echo "make rehearse  fill an archive from the emulator, retire that API in four ways, and check that nothing is lost"
	@echo "make bench     compare with a baseline, into benchmarks/results.md (needs wrk and Chromium); PARTS=name runs some"
	@echo "make wheel     build dist/threadkeeper-*.whl, whose command threadkeeper serves as make run does"
	@echo "make lock      update requirements*.txt from pyproject.toml (needs uv)"
	@echo "make clean     delete what the other commands create, except databases"

setup: .venv/runtime

.venv/runtime: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Threadkeeper needs Python 3.11 or later; name one with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) -r requirements.txt
	@touch $@

.venv/develop: .venv/runtime requirements-dev.txt
	$(PIP) -r requirements-dev.txt
	@touch $@

run: setup
	@exec $(BIN)/python -m dashboard.cli

wheel: .venv/develop
	$(BIN)/pip --disable-pip-version-check --quiet wheel --no-deps --wheel-dir dist .

test: .venv/develop
ifdef TESTS
	$(PYTEST) $(TESTS)
else
	$(PYTEST) --ignore=tests/browser
	$(PYTEST) tests/browser
	$(BIN)/python -m tests.on_postgresql
endif

quick: .venv/develop
	$(PYTEST) -m "not slow" tests/unit tests/views

faults: .venv/develop
	$(BIN)/python -m tests.system.faults

rehearse: .venv/develop
	@$(BIN)/python -m tests.system.rehearsal $(THREADS)

bench: .venv/develop
	$(BIN)/python -m benchmarks $(PARTS)

check: .venv/develop
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/python manage.py makemigrations --check --dry-run
	BEHIND_PROXY=1 SECRET_KEY=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))') OPENAI_API_KEY=none \
	  ALLOWED_HOSTS=desk.example $(BIN)/python manage.py check --deploy --fail-level WARNING

format: .venv/develop
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Locked versions, the same in all three files: production, production with all extras, development.
LOCK = uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml

lock:
	$(LOCK) -o requirements.txt
	$(LOCK) --all-extras -c requirements.txt -o requirements-all.txt
	$(LOCK) --group dev -c requirements-all.txt -o requirements-dev.txt

clean:
	rm -rf .venv dist var/static .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results
