# make demo: repair the seed article and show the report.   make test: the whole suite.   make check: what CI runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check format lint types bench clean

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: $(VENV)/installed
	mkdir -p demo
	$(BIN)/dedup clean fixtures/seed/raw.txt -o demo/clean.txt --manifest demo/manifest.jsonl --report demo/report.txt --report demo/report.json
	$(BIN)/dedup report fixtures/seed/raw.txt
	$(BIN)/dedup restore demo/clean.txt --manifest demo/manifest.jsonl | cmp - fixtures/seed/raw.txt
	@echo
	@echo "clean article: demo/clean.txt   diff report: demo/report.txt, demo/report.json   undo: demo/manifest.jsonl"

test: $(VENV)/installed
	$(BIN)/python -m pytest -n auto

check: $(VENV)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto

format: $(VENV)/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/installed
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/batch.py

clean:
	rm -rf $(VENV) .bench demo build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
