# The two commands of the README are `make demo` and `make test`; everything else is for developers.
# Needs Python 3.11–3.13 with venv, and make. PYTHON=… names another interpreter.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { echo $$p; break; }; done)

.PHONY: demo test lint bench kafka up-kafka lock format clean
.DELETE_ON_ERROR:

demo: .venv/run
	.venv/bin/petla demo

test: .venv/dev
	.venv/bin/pytest -n 2 --dist loadgroup

lint: .venv/dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/mypy

bench: .venv/dev
	.venv/bin/python -m bench

# One broker in the foreground, on 127.0.0.1:9092. Needs Java 17 and, the first time, Maven.
kafka: .venv/run
	.venv/bin/python -m deploy.kafka

# The three services as three processes on a Kafka and a PostgreSQL, until Ctrl-C. Needs what 'make kafka' needs.
up-kafka: .venv/run
	.venv/bin/python -m deploy.local

format: .venv/dev
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

# Needs uv. Hashes for every platform, no index addresses.
COMPILE = uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
lock:
	$(COMPILE) requirements.in -o requirements.lock
	$(COMPILE) requirements-dev.in -o requirements-dev.lock

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Pętla needs Python 3.11, 3.12 or 3.13: install one, or name it with 'make PYTHON=/path/to/python3.12'." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) lacks venv: on Debian and Ubuntu install it with 'apt install python3-venv'." >&2; exit 2; }
	$(PYTHON) -m venv .venv

.venv/run: .venv/bin/python requirements.lock pyproject.toml
	.venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	.venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: .venv/run requirements-dev.lock
	.venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock -r requirements-dev.lock
	@touch $@

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
