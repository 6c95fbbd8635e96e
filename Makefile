# Everything a newcomer needs: `make run` to see it, `make test` to check it. Both set up what they need.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PORT   ?= 8765

SOCKET_IO := benchmarks/peers/socket_io_server

# apt-get only where it may install: as root, or through sudo that asks no password.
APT := $(shell if [ "$$(id -u)" = 0 ]; then echo "apt-get"; elif sudo -n true 2>/dev/null; then echo "sudo apt-get"; fi)

.DEFAULT_GOAL := help
.PHONY: help run finesse-demo test soak bench bench-peers screenshots check unit schemas format clean system-packages peer-packages

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

run: $(VENV)/installed ## Start the bridge with its simulator and the demo page
	$(BIN)/workspace-bridge serve --port $(PORT)

finesse-demo: $(VENV)/installed ## Start the bridge with a look-alike of Cisco Finesse
	@command -v prosody >/dev/null || [ -z "$(APT)" ] || \
	  { echo "Installing: prosody"; $(APT) update -qq && $(APT) install -y -qq --no-install-recommends prosody >/dev/null; }
	@$(BIN)/python -c 'import slixmpp, trustme' 2>/dev/null || \
	  $(BIN)/pip install --quiet --editable '.[finesse-simulator]'
	$(BIN)/workspace-bridge finesse-demo --port $(PORT)

test: system-packages check unit ## Run every check: style, types, schemas, tests

soak: $(VENV)/installed-dev system-packages ## Run what takes long: load, soak, deep property tests
	HYPOTHESIS_PROFILE=soak $(BIN)/pytest tests -q -k properties -m "soak or not soak"
	$(BIN)/pytest tests/endurance tests/attacks -q -s -m soak
	$(BIN)/python -m benchmarks.soak
	$(BIN)/python -m benchmarks.churn
	$(BIN)/python -m benchmarks.finesse
	$(BIN)/python -m benchmarks.page

bench: $(VENV)/installed-dev ## Measure against a plain `websockets` server
	$(BIN)/python -m benchmarks.bench --rounds 3

bench-peers: $(VENV)/installed-bench peer-packages $(SOCKET_IO)/node_modules/.installed ## Measure against NATS, nchan and Socket.IO
	$(BIN)/python -m benchmarks.bench --peers all --output benchmarks/results.json
	$(BIN)/python -m benchmarks.document

screenshots: $(VENV)/installed-dev system-packages ## Take the README's pictures of the demo page anew
	$(BIN)/python -m docs.screenshots

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/workspace-bridge schemas schemas --types sdk/messages.d.ts --check

# Folders whose tests need packages for Node.js or for the browser.
NODE_PACKAGES := tests/schemas tests/sdk tests/browser $(SOCKET_IO)

unit: $(VENV)/installed-bench peer-packages $(NODE_PACKAGES:%=%/node_modules/.installed)
	$(BIN)/pytest

schemas: $(VENV)/installed ## Write schemas/ anew after a change of the models
	$(BIN)/workspace-bridge schemas schemas --types sdk/messages.d.ts

format: $(VENV)/installed-dev ## Bring the code into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove what the other targets made
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis tests/*/node_modules $(SOCKET_IO)/node_modules

$(VENV)/created:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make run PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/installed: pyproject.toml | $(VENV)/created
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/installed-dev: pyproject.toml | $(VENV)/created
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/installed

$(VENV)/installed-bench: pyproject.toml | $(VENV)/installed-dev
	$(BIN)/pip install --quiet --editable '.[dev,bench]'
	touch $@

%/node_modules/.installed: %/package-lock.json | system-packages
	npm ci --prefix $* --no-audit --no-fund --loglevel=error
	touch $@

# What the benchmark compares with and Debian has, beside nginx itself.
peer-packages: system-packages | $(VENV)/installed-bench
	@$(BIN)/python -c 'from benchmarks.peers import PEERS; raise SystemExit(not PEERS["nchan"].installed())' && exit 0; \
	if [ -z "$(APT)" ] || ! command -v apt-get >/dev/null; then \
	  echo "nginx lacks its module nchan: make bench-peers leaves it out, make test fails. Install it with your system's package manager."; exit 0; fi; \
	echo "Installing: libnginx-mod-nchan"; \
	$(APT) update -qq && DEBIAN_FRONTEND=noninteractive $(APT) install -y -qq --no-install-recommends libnginx-mod-nchan >/dev/null

# What the tests run beside Python comes from Debian; elsewhere install Chromium, Node.js, Prosody and nginx by hand.
# nginx and systemd-analyze check the examples in docs/deployment.
system-packages:
	@missing=""; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v npm >/dev/null || missing="$$missing nodejs npm"; \
	command -v prosody >/dev/null || missing="$$missing prosody"; \
	PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null || missing="$$missing nginx-light"; \
	[ "$$(uname)" != Linux ] || command -v systemd-analyze >/dev/null || missing="$$missing systemd"; \
	[ -z "$$missing" ] && exit 0; \
	if [ -z "$(APT)" ] || ! command -v apt-get >/dev/null; then \
	  echo "The tests need:$$missing. Install them with your system's package manager."; exit 1; fi; \
	echo "Installing:$$missing"; \
	$(APT) update -qq && DEBIAN_FRONTEND=noninteractive $(APT) install -y -qq --no-install-recommends $$missing >/dev/null
