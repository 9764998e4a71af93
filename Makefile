# What a contributor does. CI calls the same targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-dev
RUNTIME := $(VENV)/.installed
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SEED := 7
MINUTES := 10
CHILDREN := 2
ANSWERS := var/answers
PICTURES := build/dashboards
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links -q

.PHONY: install demo test pango chromium test-browser screenshots check format schemas dashboards dashboards-preview docs stack test-stack test-faults bench mutants lock clean

$(BIN)/python:
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "Sonevakt needs Python 3.11, 3.12 or 3.13; make PYTHON=python3.12 ... chooses one")'
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements/build.txt requirements/runtime.txt pyproject.toml | $(BIN)/python
	$(INSTALL) --require-hashes -r requirements/build.txt -r requirements/runtime.txt
	$(INSTALL) --no-deps --no-build-isolation -e .
	touch $@

$(STAMP): requirements/dev.txt $(RUNTIME)
	$(INSTALL) --require-hashes -r requirements/dev.txt
	touch $@

install: $(RUNTIME) ## .venv/bin/sonevakt, and start nothing

demo: $(RUNTIME) ## everything embedded: make demo ARGS=--once ends after the replay
	$(BIN)/sonevakt demo $(ARGS)

test: $(STAMP) pango ## the tests that need neither browser nor servers
	$(BIN)/python -m pytest -m "not stack and not browser" $(ARGS)

check: $(STAMP) ## format, lint, types, the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy infra
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schemas: $(STAMP) ## write the generated JSON Schema
	$(BIN)/python -m schemas.generate

dashboards: $(STAMP) ## write Grafana's dashboards
	$(BIN)/python -m dashboards.grafana

dashboards-preview: $(STAMP) chromium infra/preview/dist/index.html ## $(PICTURES): each dashboard with answers of real servers, drawn without Grafana; needs Node.js
	$(BIN)/python -m infra.local build kafka influxdb prometheus
	$(BIN)/python -m tests.grafana $(ANSWERS)
	$(BIN)/python -m tests.grafana.pictures $(ANSWERS) $(PICTURES)

infra/preview/dist/index.html: $(filter-out %/dist %/node_modules,$(wildcard infra/preview/* infra/preview/src/*))
	npm ci --prefix infra/preview
	npm run --prefix infra/preview build

docs: $(STAMP) ## write the generated reference pages
	$(BIN)/python -m agents.commands.reference
	$(BIN)/python -m tests.spec.behaviour

stack: $(RUNTIME) ## the whole product with Kafka, InfluxDB, Prometheus and Alertmanager, without Docker
	$(BIN)/python -m infra.local run -- $(BIN)/python -m infra.local.product $(ARGS)

pango: $(STAMP) # the library by which reports are printed, and letters to print with
	$(BIN)/python -c 'import sys; from ctypes.util import find_library; sys.exit(not find_library("pangoft2-1.0"))' || { apt-get update -qq && apt-get install -y -qq --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 fonts-dejavu-core; }

chromium: ## Debian's chromium, where there is none
	command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; }

test-browser: $(STAMP) pango chromium ## the board in a real browser
	$(BIN)/python -m pytest -m browser tests/browser $(ARGS)

screenshots: $(STAMP) chromium ## docs/pictures: the board with simulated patients, as it looks now
	$(BIN)/python -m tests.browser.pictures

test-stack: $(STAMP) pango chromium ## the tests that need the real servers, the board in a browser on them too
	$(BIN)/python -m infra.local build
	$(BIN)/python -m infra.local run -- $(BIN)/python -m pytest -m stack $(ARGS)

test-faults: $(STAMP) ## the fault suite: make test-faults SEED=7 MINUTES=10
	$(BIN)/python -m infra.local build kafka influxdb
	$(BIN)/python -m tests.faults --seed $(SEED) --minutes $(MINUTES) $(ARGS)

bench: $(STAMP) ## measured figures, beside peers; see benchmarks/
	$(INSTALL) --require-hashes -r requirements/bench.txt
	$(BIN)/python -m infra.local build kafka influxdb
	$(BIN)/python -m benchmarks $(ARGS)

mutants: $(STAMP) ## which small changes to the decision core no test notices; see docs/mutants.md
	$(INSTALL) --require-hashes --no-deps -r requirements/mutants.txt
	$(BIN)/python -m mutmut run --max-children $(CHILDREN) $(ARGS)
	$(BIN)/python -m tests.mutants

lock: ## pin the newest allowed versions, with hashes
	$(INSTALL) uv
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' | $(COMPILE) - -o requirements/build.txt
	$(COMPILE) pyproject.toml -o requirements/runtime.txt
	$(COMPILE) pyproject.toml --extra dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml --extra dev --extra bench -o requirements/bench.txt
	$(COMPILE) pyproject.toml --extra dev --extra mutants -o requirements/mutants.txt

clean:
	rm -rf $(VENV) infra/preview/dist infra/preview/node_modules build dist mutants *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
