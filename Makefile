# Needs Python >= 3.11 with venv, a C++20 compiler, make and a package index. Everything goes into .venv.
#
#   make demo          sets up what the demo needs and runs it
#   make test          sets up everything and runs lint and tests
#   make help          lists the rest

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
FUZZ_SECONDS ?= 180
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
DEMO := cookbooks/gepa-cookbook-banking77
DEMO_DISTRIBUTIONS := . ./plugins/gepa-synth-containers ./$(DEMO)
MEMBERS := $(patsubst %/pyproject.toml,./%,$(wildcard plugins/*/pyproject.toml cookbooks/*/pyproject.toml))
# The codex executable comes as an extra of its plugin.
DISTRIBUTIONS := . $(MEMBERS:%/gepa-codex=%/gepa-codex[bin])
SOURCES := src $(wildcard plugins/*/src cookbooks/*/src)

# An editable install sees changed Python at once; these need a new install.
NATIVE := CMakeLists.txt $(wildcard cpp/include/gepa/* cpp/src/* cpp/bindings/*)
DEMO_INPUTS := $(DEMO_DISTRIBUTIONS:%=%/pyproject.toml) $(NATIVE)
INPUTS := pyproject.toml $(MEMBERS:%=%/pyproject.toml) $(NATIVE)

empty :=
search_path = $(subst $(empty) ,:,$(SOURCES))
editable = $(foreach path,$(1),-e "$(path)")

.PHONY: help setup demo test simulate kill-sweep lint mypy format schema docs dist changelog test-cpp sanitize fuzz bench-acceptance clean distclean

help: ## list the targets
	@grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/.stamp-venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "gepa-framework needs Python >= 3.11 and '$(PYTHON)' is not; name one: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu it comes with: apt-get install python3-venv" >&2; exit 1; }
	@$(PIP) install --upgrade "pip>=25.1"
	@touch $@

$(VENV)/.stamp-demo: $(VENV)/.stamp-venv $(DEMO_INPUTS)
	@echo "Installing the framework, its transport and the cookbook (compiles the C++ core) ..."
	@$(PIP) install $(call editable,$(DEMO_DISTRIBUTIONS))
	@touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp-venv $(INPUTS)
	@echo "Installing all distributions and the test and lint tools (compiles the C++ core) ..."
	@$(PIP) install $(call editable,$(DISTRIBUTIONS)) --group test --group lint --group docs --group release
	@touch $@ $(VENV)/.stamp-demo

$(VENV)/.stamp-bench: $(VENV)/.stamp-demo pyproject.toml
	@$(PIP) install --group bench
	@touch $@

setup: $(VENV)/.stamp-dev ## .venv with all distributions, editable, and all tools

demo: $(VENV)/.stamp-demo ## run the Banking77 example, offline (GEPA_BANKING77_DIR=DIR: on the real data)
	@exec $(BIN)/gepa run --config $(DEMO)/$(if $(GEPA_BANKING77_DIR),gepa-full.toml,gepa.toml)

test: lint ## lint, then all tests
	@$(BIN)/python -m pytest -n $(WORKERS)

simulate: $(VENV)/.stamp-dev ## play N random schedules of the engine in virtual time (N=100000)
	@$(BIN)/python -m tests.simulation --count $(or $(N),10000) --first $(or $(FIRST),1000000)

kill-sweep: $(VENV)/.stamp-dev ## kill runs at N places, and resume them (N=10000)
	@$(BIN)/python -m tests.durability.sweep --count $(or $(N),5000)

lint: $(VENV)/.stamp-dev ## ruff, mypy, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(MAKE) mypy
	@$(BIN)/python .ci/lint_imports.py

mypy: $(VENV)/.stamp-dev
	@MYPYPATH="$(search_path)" $(BIN)/mypy $(SOURCES)

format: $(VENV)/.stamp-dev ## let ruff put things right
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

schema: $(VENV)/.stamp-dev ## src/gepa_framework/gepa.schema.json, of our own plugins
	@$(BIN)/gepa schema --output src/gepa_framework/gepa.schema.json \
	  --dist gepa-framework $(foreach member,$(MEMBERS),--dist $(notdir $(member)))

docs: $(VENV)/.stamp-dev ## HTML in docs/_build
	@$(BIN)/python -m sphinx -W -n --keep-going -q docs docs/_build
	@echo "docs/_build/index.html"

dist: $(VENV)/.stamp-dev ## sdist and wheel of every distribution in dist/, of what is committed, checked
	@rm -rf dist
	@$(BIN)/python .ci/dist.py --out dist $(ONLY)

changelog: $(VENV)/.stamp-dev ## move the fragments of docs/changelog.d into CHANGELOG.md, under today's date
	@$(BIN)/towncrier build --yes $(if $(VERSION),--version $(VERSION))

test-cpp: $(VENV)/.stamp-venv ## unit tests of the C++ core (needs doctest: apt-get install doctest-dev)
	@command -v cmake >/dev/null && command -v ninja >/dev/null || $(PIP) install "cmake>=3.24" ninja
	@export PATH="$(CURDIR)/$(BIN):$$PATH"; \
	  cmake --preset default --log-level=WARNING && cmake --build --preset default && ctest --preset default

sanitize: $(VENV)/.stamp-venv ## the same tests under address and undefined-behaviour sanitizers
	@command -v cmake >/dev/null && command -v ninja >/dev/null || $(PIP) install "cmake>=3.24" ninja
	@export PATH="$(CURDIR)/$(BIN):$$PATH"; \
	  cmake --preset asan --log-level=WARNING && cmake --build --preset asan && ctest --preset asan

# The limits keep one input that takes long or much from passing for a fuzzer at work.
fuzz: $(VENV)/.stamp-venv ## drive the C++ core with random input for FUZZ_SECONDS (needs clang)
	@command -v clang++ >/dev/null || { \
	  echo "fuzzing needs clang with libFuzzer; on Debian and Ubuntu: apt-get install clang" >&2; exit 1; }
	@command -v cmake >/dev/null && command -v ninja >/dev/null || $(PIP) install "cmake>=3.24" ninja
	@export PATH="$(CURDIR)/$(BIN):$$PATH"; \
	  cmake --preset fuzz --log-level=WARNING && cmake --build --preset fuzz && mkdir -p build/corpus && \
	  build/fuzz/cpp/fuzz/fuzz_core -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
	    -artifact_prefix=build/ -print_final_stats=1 build/corpus

bench-acceptance: $(VENV)/.stamp-demo ## how often acceptance errs, and what it costs (STUDY_OPTIONS=--write: into the documentation)
	@$(BIN)/python benchmarks/acceptance/study.py $(STUDY_OPTIONS)

bench-%: $(VENV)/.stamp-bench ## run benchmarks/NAME.py; its last line is one JSON object
	@$(BIN)/python benchmarks/$(subst -,_,$*).py

clean: ## remove what was built, .venv aside
	rm -rf build dist docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean ## remove .venv as well
	rm -rf $(VENV)
