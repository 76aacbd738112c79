# Ghostnote's commands. `make demo` needs Python 3.11 or later and nothing else; `make test` installs what it tests with.

CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11 python
PYTHON ?= $(shell for one in $(CANDIDATES); do \
	$$one -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$one && break; done)
PIP_INSTALL := -m pip install -qq --disable-pip-version-check --no-input --retries 5
SOURCES := $(shell find notation inference lsp_server training export -name '*.py' -o -path '*/bundles/*' -type f)

.PHONY: help demo test install judges editors vscode lint types imports check release clean python

help:
	@echo "make demo     see Ghostnote complete two pieces (installs the server alone into .venv-demo)"
	@echo "make test     lint, types, imports and every test (installs everything into .venv)"
	@echo "make install  only prepare .venv for development"
	@echo "make judges   only install the independent judges of the tests (Debian, Ubuntu; node)"
	@echo "make editors  only install the editors that the tests drive (Debian, Ubuntu)"
	@echo "make vscode   drive the packed extension in real VS Code (Debian, Ubuntu; Node 20; ten minutes, 650 MB)"
	@echo "make release  fetch the public collections, build, train, evaluate and export a model (four hours, git)"
	@echo "make clean    remove both environments and every cache"

python:
	@test -n "$(PYTHON)" || { \
		echo "Ghostnote needs Python 3.11 or later; found: $$(python3 --version 2>&1 || true)." >&2; \
		echo "Install one, or name it: make demo PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Ghostnote needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: it lacks ensurepip." >&2; \
		echo "On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }

demo: .venv-demo/installed
	@.venv-demo/bin/python examples/demo.py

.venv-demo/installed: pyproject.toml constraints.txt $(SOURCES) | python
	@echo "Installing the server into .venv-demo ..."
	@test -x .venv-demo/bin/python || $(PYTHON) -m venv .venv-demo
	@.venv-demo/bin/python $(PIP_INSTALL) . -c constraints.txt
	@touch $@

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt | python
	@echo "Installing everything into .venv (PyTorch included; this takes minutes) ..."
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@.venv/bin/python $(PIP_INSTALL) -e '.[test]' -c constraints.txt
	@touch $@

judges:
	@scripts/setup-judges.sh

editors:
	@scripts/setup-editors.sh

vscode: install judges
	@PYTHON=$(CURDIR)/.venv/bin/python scripts/setup-editors.sh --vscode
	GHOSTNOTE_E2E=1 .venv/bin/python -m pytest tests/editors/test_vscode.py

lint: install
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: install
	.venv/bin/mypy

imports: install
	.venv/bin/lint-imports

check: lint types imports

test: check judges editors
	.venv/bin/python -m pytest -n 2

# From the public collections to a bundle of two networks that vote: each step goes on where it stood.
RELEASE := build/release
SEEDS := 0 1
COLLECTIONS := openhymnal openewld openscore_lieder openscore_quartets openscore_orchestra nifc_polish nifc_chopin

release: install
	.venv/bin/ghostnote corpus fetch $(COLLECTIONS) --out $(RELEASE)/corpora
	.venv/bin/ghostnote corpus build music21_folk $(foreach one,$(COLLECTIONS),$(one)=$(RELEASE)/corpora/$(one)) \
		--out $(RELEASE)/dataset
	for seed in $(SEEDS); do run=$(RELEASE)/run-$$seed; \
		.venv/bin/ghostnote train --data $(RELEASE)/dataset --config release --seed $$seed --threads 1 --out $$run \
			$$(test ! -e $$run/last.ckpt || echo --resume) || exit; done
	.venv/bin/ghostnote evaluate --data $(RELEASE)/dataset $(SEEDS:%=--model $(RELEASE)/run-%/model.pt) --limit 240 \
		--out $(RELEASE)/quality.json
	.venv/bin/ghostnote export $(SEEDS:%=$(RELEASE)/run-%/model.pt) $(RELEASE)/ghostnote --max-length 640 \
		--quality $(RELEASE)/quality.json

clean:
	rm -rf .venv .venv-demo build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf tests/support/judges/node/node_modules
