# What developers and operators type. Everything lands in .venv/ and var/, which git does not see.

VENV := .venv
BIN := $(VENV)/bin
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test lint types audit bench screenshots docs dist deb sbom changelog

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.installed ## start flexid on http://localhost:8080, with everything that it needs
	@# A start does not wait for the compiler, even where Python was told to write no bytecode.
	@$(BIN)/python -m compileall -q flexid twisted/plugins
	@exec $(BIN)/twistd -n --pidfile= flexid

test: $(VENV)/.installed-for-developers ## run all tests; where CI is set, none may skip
	@# One process for each processor; the tests of a file share what it started. On a busy machine a real
	@# peer may be slow once: what fails is tried a second time, and the summary names it.
	PYTHONPATH=tests $(BIN)/pytest --numprocesses=logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder \
		--reruns=1 -rfER \
		$(if $(CI),-p support.no_skips) $(TESTS)

lint: $(VENV)/.installed-for-developers types ## check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.installed-for-developers ## check types
	$(BIN)/mypy

audit: $(VENV)/.installed-for-developers ## look for known holes in packages, dangerous code, and secrets
	@PYTHONPATH=tests $(BIN)/python -m audit

bench: $(VENV)/.installed-for-developers ## measure, print a table, and write JSON under var/bench/
	PYTHONPATH=tests $(BIN)/python -m bench

screenshots: $(VENV)/.installed-for-developers ## take pictures of the portal, for var/screenshots/ and docs/pictures/
	PYTHONPATH=tests $(BIN)/python -m browser.screenshots

docs: $(VENV)/.installed ## write what is generated from the code
	$(BIN)/flexid config docs > docs/configuration.md
	$(BIN)/flexid config docs --commands > docs/commands.md

dist: $(VENV)/.installed ## build the wheel, in dist/
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

deb: ## build the Debian package, in dist/ (apt-get install debhelper)
	@rm -rf build/deb && mkdir -p build/deb/flexid dist
	@git ls-files -z | xargs -0 cp --parents --target-directory=build/deb/flexid
	cd build/deb/flexid && dpkg-buildpackage --build=binary --no-sign
	cp build/deb/*.deb dist/

changelog: $(VENV)/.installed-for-developers ## gather changelog.d/ into CHANGELOG.md, for a release
	$(BIN)/towncrier build --yes

sbom: $(VENV)/.installed-for-developers ## write what it is made of, in dist/: CycloneDX, and the licences
	@rm -rf build/sbom && mkdir -p dist && $(BIN)/python -m venv build/sbom
	build/sbom/bin/pip install --quiet --disable-pip-version-check .
	build/sbom/bin/python deploy/third_party.py > dist/THIRD-PARTY.md
	build/sbom/bin/pip uninstall --quiet --yes pip setuptools
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--output-file dist/flexid.cdx.json build/sbom/bin/python

# `compat`: twistd finds the plugin of an editable installation only through an entry in sys.path.
$(VENV)/.installed: $(BIN)/python pyproject.toml setup.py
	$(BIN)/pip install --quiet --disable-pip-version-check --use-pep517 --config-settings editable_mode=compat -e .
	@touch $@

$(VENV)/.installed-for-developers: $(BIN)/python pyproject.toml setup.py
	$(BIN)/pip install --quiet --disable-pip-version-check --use-pep517 --config-settings editable_mode=compat -e '.[dev]'
	@touch $@ $(VENV)/.installed

$(BIN)/python:
	@python=; \
	for candidate in python3.11 python3.12 python3.13 python3.14 python3; do \
		if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo 'flexid needs Python 3.11 or newer, and there is none in $$PATH' >&2; exit 1; fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$python cannot make virtual environments: on Debian and Ubuntu, apt-get install $$python-venv" >&2; exit 1; \
	fi; \
	rm -rf $(VENV) && $$python -m venv $(VENV)
