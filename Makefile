# Each target sets up .venv by itself; nothing but Python 3.11 or newer, make and a package index is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TTY_SIZE ?=
# More than there are cores: the tests of screens and of lines wait most of their time.
WORKERS ?= 4
# Bytecode is kept: the tests start many programs.
export PYTHONDONTWRITEBYTECODE =

.PHONY: run test lint bench prove snapshots readme-picture clean

$(VENV)/.run: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	touch $@ $(VENV)/.run

run: $(VENV)/.run  ## start the app on the embedded sandbox
	$(BIN)/yunliao --sandbox

test: lint  ## lint, types, import rules, then every test
	$(BIN)/python -m pytest -n $(WORKERS) --reruns 2 $(PYTEST_ARGS)

lint: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.test  ## speed, bytes and memory, as ratios taken in one run
	$(BIN)/python -m bench

prove: $(VENV)/.test  ## long random walks: what the terminal shows is what was meant, over twenty million cells; all cuts
	rm -f .proof
	YUNLIAO_PROVE=5 YUNLIAO_PROOF=$(CURDIR)/.proof $(BIN)/python -m pytest -n 2 tests/pty/test_proof.py tests/pty/test_walks.py \
		tests/pty/test_multiplexers.py tests/turns/test_dms_cuts.py
	@awk '{ cells += $$1 } END { print cells " cells compared, 0 differences"; exit cells < 20000000 }' .proof

snapshots: $(VENV)/.test  ## take the pictures of the snapshot tests anew
	$(BIN)/python -m pytest tests/snapshots --snapshot-update

readme-picture: $(VENV)/.test  ## the picture in README.md, from the running app
	$(BIN)/python -m scripts.readme_picture

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache .hypothesis
