# Licence Wallet. `make help` lists what there is; `make demo` and `make test` need nothing done before.
PYTHON ?= python3
BIN := .venv/bin
KEK_FILE = $(or $(LICENCE_KEK_FILE),data/kek)
PORT ?= 8080
SERVE_ENV = LICENCE_BASE_URL=http://127.0.0.1:$(PORT) LICENCE_DATABASE_URL=sqlite:///data/licence.db LICENCE_KEK_FILE=$(KEK_FILE) LICENCE_DEMO=true
PARALLEL ?= 2
STEPS ?= 5000
REQUESTS ?= 20000
SECONDS ?= 60
MINUTES ?= 10
.DEFAULT_GOAL := help
.PHONY: help demo serve sandbox screenshots test coverage attack fuzz mutate sbom interop pages soak check openapi bench bench-gate lock clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

.venv/run.stamp: requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements-dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

demo: .venv/run.stamp ## Watch the whole story: issue, show, verify, attack, revoke, a foreign wallet, offline
	@command -v npm > /dev/null && test ! -f tests/interop/node_modules/.package-lock.json && echo "fetching the foreign wallet (npm)" \
	  && (cd tests/interop && timeout 60 npm ci --silent --prefer-offline --fetch-retries=0) || true
	$(BIN)/licence demo --foreign-wallet tests/interop

serve: .venv/run.stamp ## Serve on http://127.0.0.1:8080 (or PORT=…) with SQLite in data/
	@$(BIN)/python -c "import sys; from app.cli.demo_server import is_taken; sys.exit(is_taken($(PORT)))" \
	  || { echo "port $(PORT) is taken: stop what runs there (a sandbox?), or: make serve PORT=8081"; exit 1; }
	@mkdir -p data
	@test -f $(KEK_FILE) || $(BIN)/licence keys new-kek $(KEK_FILE)
	@$(SERVE_ENV) $(BIN)/licence migrate
	@$(SERVE_ENV) $(BIN)/licence token grant operator me
	$(SERVE_ENV) $(BIN)/licence serve --port $(PORT)

sandbox: .venv/run.stamp ## Run a city of your own to integrate with; tokens in sandbox/env (docs/first-licence.md)
	$(BIN)/licence sandbox --port $(PORT)

test: .venv/dev.stamp ## Run every test, on SQLite and PostgreSQL
	$(BIN)/python -m pytest -n $(PARALLEL) --dist worksteal

coverage: .venv/dev.stamp ## The same, and which lines no test runs (twice as slow); fails under 85 %
	$(BIN)/python -m pytest -n $(PARALLEL) --dist worksteal --cov --cov-report=term:skip-covered

.venv/attack.stamp: .venv/dev.stamp requirements-attack.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-attack.txt
	@touch $@

attack: .venv/attack.stamp ## Attack it: hostile inputs, every caller, a model, fuzzed contracts and parsers; prints figures
	LICENCE_MODEL_STEPS=$(STEPS) $(BIN)/python -m pytest -n $(PARALLEL) --dist worksteal tests/attacks tests/keys tests/records tests/journeys/test_against_a_model.py
	$(BIN)/python -m tests.fuzz.contracts --requests $(REQUESTS)
	$(MAKE) fuzz

fuzz: .venv/attack.stamp ## Fuzz the parsers by coverage, SECONDS each (60); the corpus is in tests/fuzz/corpus
	$(BIN)/python -m tests.fuzz.parsers --seconds $(SECONDS)

mutate: .venv/attack.stamp ## Break credentials/ in thousands of places: do its tests notice? prints figures (half an hour)
	rm -rf mutants
	$(BIN)/mutmut run --max-children $(PARALLEL)
	$(BIN)/python -m tests.mutation.figures

sbom: .venv/attack.stamp ## Write the software bill of materials (CycloneDX) to build/sbom.json
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-format JSON --output-file build/sbom.json

.venv/pages.stamp: .venv/dev.stamp requirements-pages.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-pages.txt
	@touch $@

soak: .venv/dev.stamp ## Run a city's day in MINUTES (10) while workers are killed and PostgreSQL restarts; prints figures
	$(BIN)/python -m tests.faults.soak --minutes $(MINUTES)

pages: .venv/pages.stamp ## Drive every page in Chromium: journeys, WCAG, languages, widths; pictures in build/screenshots
	$(BIN)/python -m pytest tests/pages

screenshots: .venv/pages.stamp ## Take the README's three pictures anew (docs/pictures)
	LICENCE_SCREENSHOTS=docs/pictures $(BIN)/python -m pytest -q tests/pages/test_readme_pictures.py

interop: .venv/dev.stamp ## Drive the running service with third-party wallets and verifiers (needs Node)
	@command -v npm > /dev/null || { echo "make interop needs Node 20 or later (node, npm): install it first"; exit 1; }
	cd tests/interop && npm ci --silent
	$(BIN)/python -m pytest tests/interop

check: .venv/dev.stamp ## Style, types, import contracts, OpenAPI up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/licence openapi --check

openapi: .venv/run.stamp ## Write the OpenAPI contracts
	$(BIN)/licence openapi

bench: .venv/dev.stamp ## Measure, beside peers where they can be installed, and write bench/latest.json
	$(BIN)/python -m bench

bench-gate: .venv/dev.stamp ## Fail if a ratio fell below its floor (bench/gate.py); two minutes, no peers
	$(BIN)/python -m bench.gate

lock: ## Lock dependencies anew (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header -o requirements.txt -q
	uv pip compile pyproject.toml --extra dev --extra hsm --extra telemetry --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header -c requirements.txt -o requirements-dev.txt -q
	uv pip compile pyproject.toml --extra dev --extra hsm --extra telemetry --extra pages --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header -c requirements-dev.txt -o requirements-pages.txt -q
	uv pip compile pyproject.toml --extra hsm --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header -c requirements-dev.txt -o requirements-hsm.txt -q
	uv pip compile pyproject.toml --extra dev --extra hsm --extra telemetry --extra attack --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header -c requirements-dev.txt -o requirements-attack.txt -q
	uv pip compile pyproject.toml --extra telemetry --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header -c requirements-dev.txt -o requirements-telemetry.txt -q
	uv pip compile pyproject.toml --extra redis --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header -c requirements-dev.txt -o requirements-redis.txt -q

clean: ## Remove what was built
	rm -rf .venv data build mutants *.egg-info .coverage
