# Everything one does with NETVEXA, on a machine with Python 3.11, make and a shell.
# `make` alone lists what there is.
VENV ?= .venv
export VENV
PY := $(VENV)/bin/python
BIN := $(VENV)/bin
WITH_NODE = PATH="$(abspath $(BIN)):$$PATH"
WORKERS ?= 2
TESTS ?=
# Variables a developer's shell may hold must not decide what the tests run against.
CLEAN = env -u DJANGO_SETTINGS_MODULE -u DATABASE_URL -u REDIS_URL -u CELERY_BROKER_URL

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test eval check security fix reset build screenshots

help: ## List the targets
	@sed -n 's/^\([a-z%-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

setup: ## Make the virtual environment and install what the product runs on
	@sh deploy/bootstrap.sh run

setup-dev: ## The same, with what tests and checks need
	@sh deploy/bootstrap.sh dev

run: setup ## Start everything; Ctrl-C stops it. NETVEXA_PORT=8000
	@exec $(PY) -m netvexa.supervisor

test: setup-dev ## Run all tests (TESTS="tests/test_x.py -k word" for some, WORKERS=2)
	@sh deploy/ensure_chromium.sh
	@$(CLEAN) $(PY) -m pytest -n $(WORKERS) $(TESTS)

check: setup-dev ## Lint, format, types, templates, layers, migrations, widget; writes nothing
	@sh deploy/check.sh

security: setup-dev ## Rules, dependencies, Django's advice, the API's schema, fuzzing (FUZZ=100000 inputs a reader)
	@$(CLEAN) sh deploy/security.sh

fix: setup-dev ## Mend what can be mended by machine
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .
	@if [ -d widget/node_modules ]; then cd widget && $(WITH_NODE) npm run --silent fix; fi
	@echo "Mended what a machine can mend; 'make check' tells the rest."

reset: setup ## Drop the database, uploads and everything else in var/ (asks; CONFIRM=yes does not)
	@CONFIRM="$(CONFIRM)" $(PY) -m netvexa.embedded reset

build: setup-dev ## Build the widget and the style sheet into static/
	@for folder in widget static/src; do \
		(cd $$folder && $(WITH_NODE) npm install --no-save --no-audit --no-fund --silent \
			&& $(WITH_NODE) npm run --silent build) || exit 1; \
	done

screenshots: setup-dev ## Take pictures of every page and every state of the widget into var/screenshots
	@sh deploy/ensure_chromium.sh
	@$(PY) -m tests.widget.gallery
	@$(CLEAN) $(PY) -m netvexa.embedded exec --prepared -- $(PY) -m tests.dashboard.gallery

eval: setup-dev ## Judge answers: SQuAD v2, XQuAD and the help centre; prints a table and one line of figures
	@$(CLEAN) $(PY) -m netvexa.embedded exec --prepared -- $(PY) -m benchmarks.eval

bench-%: setup-dev ## Measure, for instance bench-answer (benchmarks/answer.py) on throw-away servers
	@test -f benchmarks/$(subst -,_,$*).py || { echo "There is no benchmarks/$(subst -,_,$*).py." >&2; exit 2; }
	@$(CLEAN) $(PY) -m netvexa.embedded exec --prepared -- $(PY) -m benchmarks.$(subst -,_,$*)
