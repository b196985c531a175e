# The two commands of a newcomer are `make demo` and `make test`.
PYTHON ?= python3
MIANTI_HOME ?= .mianti
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.mianti-installed
TOOLS := $(VENV)/.mianti-tools
# By name: a mistaken MIANTI_HOME must not cost anything else.
DATA := alarms.json follow.json lake ledger log prefect prefect-password refused sample stack.json stack.lock \
  watch.lock window window-keys.yaml
export MIANTI_HOME

define NEED_PYTHON
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
  echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv, or brew install python;"; \
  echo "where it has another name: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
  echo "Python's venv module is needed: apt-get install python3-venv"; exit 2; }
endef

.DEFAULT_GOAL := help
.PHONY: help check setup tools demo up down clean distclean lint format test faults fuzz soak bench

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make the virtual environment with the pinned packages (once)

tools: $(TOOLS) ## Add what lint and tests need (once)

$(STAMP): requirements.lock pyproject.toml
	@command -v git >/dev/null || { echo "git is needed: apt-get install git, or brew install git"; exit 2; }
	$(NEED_PYTHON)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m deploy.local.install
	@touch $@

$(TOOLS): $(STAMP)
	@$(BIN)/python -m deploy.local.install dev
	@touch $@

check: ## Say what the local Kafka needs and is not there (Java, Maven)
	$(NEED_PYTHON)
	@$(PYTHON) -m deploy.local.prerequisites

demo: check setup ## Publish a sample of three departments, and show what comes out
	@$(BIN)/mianti demo

up: check setup ## Start Kafka, Prefect and the deployments
	@$(BIN)/mianti up

down: ## Stop them; the data stay
	@test ! -x $(BIN)/mianti || $(BIN)/mianti down

clean: down ## Stop them and remove their data; the fetched Kafka stays
	@test ! -d "$(MIANTI_HOME)" || { cd "$(MIANTI_HOME)" && rm -rf $(DATA); }
	@test ! -d "$(MIANTI_HOME)/kafka" || find "$(MIANTI_HOME)/kafka" -mindepth 1 -maxdepth 1 ! -name libs \
	  -exec rm -rf {} +

distclean: clean ## Also remove what was fetched: Kafka, the virtual environment
	@rm -rf "$(MIANTI_HOME)/kafka" $(VENV)

lint: tools ## Check style, types, which package imports which, the schemas and dialects
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mianti schema check
	$(BIN)/mianti dialect check

format: tools ## Put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: check tools ## Run all tests, on a real Kafka
	$(BIN)/pytest -n 2 --dist loadfile

faults: check tools ## Break it on purpose, and write docs/reliability.md's table
	$(BIN)/pytest tests/faults -n 2 --dist loadfile --reliability docs/reliability.md

SECONDS = 900
RATE = 5000
ASKS = 50
KILL_EVERY = 30
soak: check tools ## A quarter of an hour at full rate, a part killed each 30 s
	$(BIN)/python -m tests.soak --seconds $(SECONDS) --rate $(RATE) --asks $(ASKS) \
	  --kill-every $(KILL_EVERY) $(if $(SEED),--seed $(SEED))

# What fails prints how to repeat it; SEED=… repeats a whole run.
fuzz: SEED ?= $(shell date +%s)
fuzz: check tools ## Look for what breaks the law, the readers and the decoder (hours)
	$(BIN)/pytest tests/property -n 2 --dist loadfile --timeout 36000 \
	  --hypothesis-profile fuzz --hypothesis-seed $(SEED)

# PARTS=window measures that part alone.
bench: check tools ## Measure speed and memory beside their limits (half an hour)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	$(BIN)/python -m benchmarks.run 1000000 $(PARTS)
