# Everything starts from a fresh clone: each target makes the virtual environment it needs.
# llama-cpp-python has no binary wheel; pip compiles it once per machine and keeps the wheel in its cache.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NIGHTLY := .nightly
# name of each program that the long checks need, and its Debian package
NIGHTLY_TOOLS := debootstrap:debootstrap strace:strace qemu-x86_64:qemu-user minisign:minisign
READY := $(VENV)/.ready
TRAINER := $(VENV)/.trainer
PUBMEDQA ?= ../shared/data/pubmedqa/ori_pqal.json.gz
GPU_CMAKE_cuda := -DGGML_CUDA=on
GPU_CMAKE_vulkan := -DGGML_VULKAN=on
GPU_CMAKE_metal := -DGGML_METAL=on

.PHONY: help bench test lint speed nightly install clean

help: ## Show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

bench: $(READY) ## Run the main job on what the repository ships
	rm -rf .bench
	MEDLORA_HOME=.bench $(BIN)/medlora-edge bench pubmedqa

test: $(TRAINER) ## Run all tests
	$(BIN)/pytest

lint: $(TRAINER) ## Check style, types and the arrows between rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

speed: $(TRAINER) ## Measure speed and memory (minutes), results as JSON
	$(BIN)/python -m benchmarks

nightly: export MEDLORA_NIGHTLY := 1
nightly: ## What takes long, as root: all tests, a bundle and its speed, the official questions in all three modes
	@test "$$(id -u)" = 0 || { echo "only root can make the minimal Debian of the tests: run this as root" >&2; exit 2; }
	@missing=; for tool in $(NIGHTLY_TOOLS); do \
		command -v $${tool%%:*} >/dev/null || missing="$$missing $${tool#*:}"; \
	done; \
	test -z "$$missing" || { echo "programs are needed (Debian: apt-get install$$missing)" >&2; exit 2; }
	@test -f $(PUBMEDQA) || { echo "the official questions are needed: PUBMEDQA=FILE says where they are" >&2; exit 2; }
	$(MAKE) test
	rm -rf $(NIGHTLY)
	mkdir $(NIGHTLY)
	minisign -G -W -p $(NIGHTLY)/release.pub -s $(NIGHTLY)/release.key </dev/null
	$(BIN)/medlora-bundle fetch $(NIGHTLY)/inputs
	$(BIN)/medlora-bundle build $(NIGHTLY)/inputs $(NIGHTLY) --serial 1 --key $(NIGHTLY)/release.pub
	$(BIN)/medlora-bundle sign $(NIGHTLY)/medlora-edge-* --key $(NIGHTLY)/release.key
	for mode in score constrained generate; do \
		MEDLORA_HOME=$(NIGHTLY)/home $(BIN)/medlora-edge bench pubmedqa --model starter --data $(PUBMEDQA) --mode $$mode || exit; \
	done
	MEDLORA_BUNDLE=$$(echo $(NIGHTLY)/medlora-edge-*) $(BIN)/python -m benchmarks verify_bundle bundle_life installed_start

install: ## Install the program from source, GPU=cuda|vulkan|metal for a GPU build of llama.cpp
	$(if $(GPU),$(if $(GPU_CMAKE_$(GPU)),,$(error GPU=$(GPU) is unknown: cuda, vulkan or metal)))
	$(PYTHON) -m venv $(VENV)
	$(if $(GPU),CMAKE_ARGS="$(GPU_CMAKE_$(GPU))" $(BIN)/pip install --no-cache-dir --force-reinstall llama-cpp-python==0.3.36)
	$(BIN)/pip install .

clean: ## Remove what was built here
	rm -rf $(VENV) .bench $(NIGHTLY)

$(READY): pyproject.toml
	@command -v cc >/dev/null || { echo "a C++ compiler is needed (Debian: apt-get install build-essential)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@echo "installing; the first time on a machine llama.cpp is compiled (about 5 minutes on two cores)"
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

$(TRAINER): $(READY)
	@echo "installing the training libraries"
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev,build]'
	@touch $@
