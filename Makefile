# What a person calls. `make run` starts the product, `make test` proves it.
SHELL := /bin/bash
PYTHON_RUN := .venv/bin/python
STAMPS := .venv
MISSING := var/test/missing-peers
# The report of peers that a run lacked is carried to its last lines.
export MISSING_PEERS_FILE := $(CURDIR)/$(MISSING)
# Processes start by the dozen here; without what was compiled before, each compiles a thousand modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check test-fast test-faults test-browser peers bench venv
.NOTPARALLEL:

run: $(STAMPS)/.run
	@exec $(PYTHON_RUN) manage.py up

test: $(STAMPS)/.dev check test-fast test-faults test-browser
	@sort -u $(MISSING) 2>/dev/null || true

check: $(STAMPS)/.dev
	$(PYTHON_RUN) -m ruff format --check .
	$(PYTHON_RUN) -m ruff check .
	$(PYTHON_RUN) -m mypy .
	.venv/bin/lint-imports
	$(PYTHON_RUN) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(PYTHON_RUN) manage.py check_messages

test-fast: $(STAMPS)/.dev
	@mkdir -p var/test && rm -f $(MISSING)
	@$(MAKE) --no-print-directory peers || true
	$(PYTHON_RUN) -m pytest -n 2 --dist worksteal -m "not browser and not faults" --ignore tests/browser

# Kills and stops servers of its own: whole products that die and come back.
test-faults: $(STAMPS)/.dev
	$(PYTHON_RUN) -m pytest -n 2 -m "faults" tests

test-browser: $(STAMPS)/.dev
	@mkdir -p var/test
	@$(MAKE) --no-print-directory peers
	$(PYTHON_RUN) -m pytest tests/browser -m browser

# Programs of others that the tests talk to; fails when there is no browser.
peers: $(STAMPS)/.dev
	@scripts/peers.sh

# make bench NAME=ingest
bench: $(STAMPS)/.dev
	@$(if $(NAME),,echo "Which measurement? make bench NAME=..." >&2; exit 1)
	@exec $(PYTHON_RUN) -m bench $(NAME)

venv: $(STAMPS)/.dev

$(STAMPS)/.run: requirements.txt scripts/venv.sh
	@echo "Preparing the virtual environment ..."
	@scripts/venv.sh requirements.txt
	@touch $@

$(STAMPS)/.dev: requirements.txt requirements-dev.txt scripts/venv.sh
	@echo "Preparing the virtual environment for development ..."
	@scripts/venv.sh requirements-dev.txt
	@touch $(STAMPS)/.run $@
