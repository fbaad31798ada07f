# The commands of the house. Only Python 3.11+, pip and make are assumed.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo install check test faults verify bench clean requirements

demo: .venv/demo-installed
	$(BIN)/fabriek demo

install: .venv/test-installed

check: .venv/test-installed
	$(BIN)/ruff check src tests benches
	$(BIN)/ruff format --check src tests benches
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest tests/architecture/test_house_rules.py

test: .venv/test-installed
	$(BIN)/pytest -n auto --dist loadgroup

# Many rounds of what `make test` does two or three times: FABRIEK_ROUNDS=500 for the long one on a real Slurm.
faults: .venv/test-installed
	$(BIN)/pytest -m faults -s --timeout 0

verify: .venv/test-installed
	$(BIN)/python -m tests.generated --check

bench: .venv/test-installed
	$(BIN)/python -m benches

.venv/demo-installed: pyproject.toml requirements/demo.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/demo.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e '.[server,demo]'
	touch $@

.venv/test-installed: pyproject.toml requirements/test.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e '.[server,demo,test]'
	touch $@ .venv/demo-installed

clean:
	rm -rf .venv

# Pins every dependency with its hashes and no address of any index. Needs uv.
UV ?= uv
PIN := $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11
requirements:
	$(PIN) --extra server --extra demo pyproject.toml requirements/build.in -o requirements/demo.txt
	$(PIN) --all-extras pyproject.toml requirements/build.in -o requirements/test.txt
