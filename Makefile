# mailbot's chores. `make demo` and `make test` are all that a newcomer needs; both make .venv by themselves.

PYTHON ?= python3
EXTRAS ?= ocr,postgres,oidc
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet

.PHONY: help setup demo test check bench score reader pictures campaign fuzz mutation lock clean

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

setup: $(VENV)/made.core $(if $(EXTRAS),$(VENV)/made.extras) ## make .venv with the mailbot command (EXTRAS= leaves the extras out)

demo: $(VENV)/made.core ## show the whole system on embedded parts (ARGS=--once ends by itself)
	@$(BIN)/mailbot demo $(ARGS)

test: $(VENV)/made.develop ## run every test (MAILBOT_TEST_REQUIRE=all: a missing server is a failure)
	$(BIN)/pytest -n auto --dist worksteal $(ARGS)

check: $(VENV)/made.develop ## format, lint, types, imports, dead code, migrations
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	@rm -f $(VENV)/check.db
	$(BIN)/alembic -x url=sqlite:///$(VENV)/check.db upgrade head
	$(BIN)/alembic -x url=sqlite:///$(VENV)/check.db check

bench: $(VENV)/made.develop ## mails a second beside the bare minimum on this machine (ARGS="--mails 1000")
	$(BIN)/python -m bench.run $(ARGS)

score: $(VENV)/made.develop ## how well mails are read and decided, in ten languages (ARGS=--faults names what is not right)
	@$(BIN)/python -m bench.score $(ARGS)

reader: $(VENV)/made.develop ## teach what reads: bench/sentences and bench/letters (after a change there or in a lexicon)
	$(BIN)/python -m bench.train_reader
	@$(PIP) install lightgbm==4.7.0
	$(BIN)/python -m bench.train_whole

pictures: $(VENV)/made.develop ## how well scanned and photographed invoices are read (ARGS="--seeds 3 --faults")
	@$(BIN)/python -m bench.pictures $(ARGS)

campaign: $(VENV)/made.develop ## every campaign at its nightly figures, seeded (ARGS="--only T8 T9 --share 0.1 --seed 7")
	$(BIN)/python -m tests.campaigns.run $(ARGS)

fuzz: $(VENV)/made.develop ## fuzz every parser, led by what code each input reaches (ARGS="--seconds 600 --only html")
	@$(PIP) install atheris
	$(BIN)/python -m tests.fuzz.run $(ARGS)

mutation: $(VENV)/made.develop ## change the policy engine a little, again and again: do tests notice? (ARGS="--sample 50")
	$(BIN)/python -m tests.mutation $(ARGS)

lock: ## pin every dependency with its hashes, for every Python from 3.11 on
	$(PYTHON) -m uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --group build -o requirements/core.lock
	$(PYTHON) -m uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --group build --all-extras -c requirements/core.lock -o requirements/extras.lock
	$(PYTHON) -m uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --group build --all-extras --group test --group check -c requirements/extras.lock -o requirements/develop.lock

clean: ## remove .venv and what tools left behind
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mailbot needs Python 3.11 or later; name one with make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/made.core: requirements/core.lock pyproject.toml | $(VENV)/bin/pip
	$(PIP) install --require-hashes -r requirements/core.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/made.extras: requirements/extras.lock | $(VENV)/made.core
	$(PIP) install --require-hashes -r requirements/extras.lock
	@touch $@

$(VENV)/made.develop: requirements/develop.lock | $(VENV)/made.core
	$(PIP) install --require-hashes -r requirements/develop.lock
	@touch $@
