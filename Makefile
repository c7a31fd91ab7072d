# Every target makes what it needs; a second run finds it made. `make` alone tells what there is.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PYTHON_FILES := config governance benchmarking reviews examples manage.py
PROCESSES ?= 2
export PYTHONUNBUFFERED := 1
# Without stored bytecode, every child process compiles the project again.
unexport PYTHONDONTWRITEBYTECODE
export ORT_DISABLE_TELEMETRY := 1

# The environment `manage.py check --deploy` is judged in: production settings, no real secret.
DEPLOY_ENV := DJANGO_SETTINGS_MODULE=config.settings.prod \
  WEIGHBRIDGE_SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(60))') \
  WEIGHBRIDGE_HOSTS=weighbridge.example WEIGHBRIDGE_PROXIES=1 WEIGHBRIDGE_BASE_URL=https://weighbridge.example \
  DATABASE_URL=postgresql://nobody@127.0.0.1:9/none BROKER_URL=redis://127.0.0.1:9/0

##@ Try it
demo: $(VENV)/.stamp-bench  ## a real model goes the whole way: filed, measured, voted, approved, printed
	$(BIN)/python -m examples.company

try: $(VENV)/.stamp-bench  ## look around: recorded data of the demo on 127.0.0.1:8000, with a tour, in less than a minute; REQUESTS=10000 copies them over ten years
	$(BIN)/python -m examples.recorded $(if $(REQUESTS),--requests $(REQUESTS))

run: $(VENV)/.stamp-bench  ## start the application here: database, web, worker and clock in one terminal
	@$(BIN)/python manage.py migrate --noinput --verbosity 0
	@$(BIN)/python manage.py collectstatic --noinput --verbosity 0
	@$(BIN)/python manage.py prepare
	@$(BIN)/python -m examples.company.first_people
	$(BIN)/python manage.py up

stop: $(VENV)/.stamp-bench  ## stop the embedded database (it outlives `make run` and `make demo`)
	$(BIN)/python -m config.embedded_database stop

##@ Prove it
test-unit: $(VENV)/.stamp-dev  ## the quick tests: rules and calculations, without a database, a browser or coverage
	$(BIN)/python -m pytest tests/unit -m "not slow" -n $(PROCESSES) -q --hypothesis-profile=quick

test: $(VENV)/.stamp-dev  ## everything a change needs, with branch coverage held at 100 % on the pure layers and 90 % over all
	@PYTHON=$(BIN)/python sh docker/chart/get-helm.sh || echo "Going on without Helm: the tests of the chart are skipped."
	PYTHON=$(BIN)/python PROCESSES=$(PROCESSES) bash tests/run.sh

test-changed: $(VENV)/.stamp-dev  ## the tests that this branch can touch, the nearest first, and why; BASE=HEAD~1 compares with another commit
	$(BIN)/python -m tests.changed $(if $(BASE),--base $(BASE)) -n $(PROCESSES) --dist loadfile --no-loadscope-reorder -q

check: $(VENV)/.stamp-dev  ## lint, format, types, import contracts, migrations, deployment, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djangofmt --check --quiet templates
	$(BIN)/mypy $(PYTHON_FILES)
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(DEPLOY_ENV) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python -m config.reference --check
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html
	@echo "make check: all green"

bench: $(VENV)/.stamp-dev  ## the performance tests, best on a quiet machine; writes docs/reference/performance.md
	WEIGHBRIDGE_FIGURES=keep $(BIN)/python -m pytest tests/performance -p no:randomly -q

promises: $(VENV)/.stamp-dev  ## nightly, about an hour: the promises in their long form and every other long test; writes docs/reference/promises.md
	WEIGHBRIDGE_PROMISES=long $(BIN)/python -m pytest tests/promises -p no:randomly -q
	$(BIN)/python -m pytest tests --ignore=tests/promises --ignore=tests/performance -m nightly -p no:randomly -q

models: $(VENV)/.stamp-dev  ## measure real models of packages with every command, about half an hour; writes docs/reference/models.md
	$(BIN)/python -m tests.models.run
	$(BIN)/python -m config.reference

##@ Write it
fmt: $(VENV)/.stamp-dev  ## format, and repair what can be repaired
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djangofmt --quiet templates

docs: $(VENV)/.stamp-dev  ## write the generated reference pages and build docs/_build/html
	$(BIN)/python -m config.reference
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

screenshots: $(VENV)/.stamp-dev  ## make the pictures of pages in docs/screenshots anew, on recorded data of the demo
	$(BIN)/python -m examples.recorded.screenshots

lock: $(VENV)/.stamp-dev  ## compile requirements/*.in into requirements/*.txt, pinned and with hashes
	cd requirements && for set in base bench dev; do \
	  ../$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --generate-hashes --no-strip-extras \
	    --custom-compile-command "make lock" $$set.in ../benchmarking/toolkit/pyproject.toml --extra charts -o $$set.txt; done; \
	../$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --generate-hashes \
	  --custom-compile-command "make lock" node.in -o node.txt

##@ Help
help:  ## this text
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {split($$1, t, ":"); printf "  make %-12s %s\n", t[1], $$2}' Makefile
	@echo

$(VENV)/.stamp-bench: requirements/bench.txt requirements/torch.in pyproject.toml
	@VENV=$(VENV) bash requirements/bootstrap.sh bench
$(VENV)/.stamp-dev: requirements/dev.txt requirements/weights-dev.txt requirements/node.txt requirements/torch.in pyproject.toml
	@VENV=$(VENV) bash requirements/bootstrap.sh dev

.PHONY: demo try run stop test-unit test test-changed check bench promises models fmt docs screenshots lock help
