# Pin Kiosk. `make help` lists what can be typed; each line does what is missing first.
.DEFAULT_GOAL := help
.PHONY: help env env-test run test test-fast test-debians test-install matrix planted mutants soak every bench fuzz check docs wheel deb lock

SETUP := scripts/setup
BIN := .venv/bin
# How many tests run side by side: more than there are cores, since many only wait for a
# reader or a controller. PYTEST_ARGS narrows them: make test PYTEST_ARGS=tests/unit
JOBS ?= 6
PYTEST_ARGS ?=
# What a station may need besides: kerberos.
EXTRA ?=
# The Debians of `make test-debians`.
DEBIANS ?= bookworm trixie
# `make matrix` goes everywhere so many times, each time with a sixtieth of the keys.
PASSES ?= 60
# How long `make fuzz` looks at each parser.
SECONDS ?= 20

help: ## list what can be typed
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

env: ## make the environment of a station (.venv); EXTRA=kerberos: with that, too
	@sh $(SETUP)/system.sh run $(EXTRA)
	@sh $(SETUP)/env.sh $(EXTRA)

env-test: ## the same, with everything that tests and checks use
	@sh $(SETUP)/system.sh run test
	@sh $(SETUP)/env.sh kerberos test judges

run: env ## the kiosk with simulated cards; without a terminal, a guided tour
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/kiosk demo; \
	else $(BIN)/kiosk rehearse --tour; fi

test: env-test ## all tests, on real parts: pcscd, a domain controller, a terminal
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(PYTEST_ARGS)

test-fast: env-test ## while you work: half a minute, without pcscd, controllers and terminals
	@$(BIN)/python -m pytest -q -n auto -m "not slow" tests/unit $(PYTEST_ARGS)

test-debians: ## all tests in fresh roots of Debian 12 and 13, as root: see docs/testing.md
	@sh $(SETUP)/debians.sh $(DEBIANS)
	@$(MAKE) --no-print-directory test-install

test-install: env-test ## type docs/install.md into fresh roots of both, as root
	@$(BIN)/python -m pytest -p no:randomly tests/install \
		$(addprefix --debian=,$(DEBIANS)) $(PYTEST_ARGS)

matrix: env-test ## hours: every key at every screen in every rhythm; an even part: PASSES=1
	@PYTHONPATH=tests $(BIN)/python -m lab.matrix build/matrix.log --last $(PASSES)

soak: env-test ## let anything happen to people and cards for SECONDS, by SEED: is a promise broken?
	@PYTHONPATH=tests $(BIN)/python -m lab.hostile $(SECONDS) $(SEED)

every: env-test ## every act at every point of every operation, then pairs evenly until SECONDS are over
	@PYTHONPATH=tests $(BIN)/python -m lab.hostile every $(SECONDS)

planted: env-test ## plant bugs, one at a time, in a copy: does a test see each? ONLY="words"
	@PYTHONPATH=tests $(BIN)/python -m planted $(ONLY)

mutants: env-test ## change one thing at a time in a copy: does a test see it? ONLY="room", MOST=100 of each
	@sh $(SETUP)/env.sh mutants
	@PYTHONPATH=tests nice $(BIN)/python -m mutants $(if $(MOST),--most $(MOST)) $(ONLY)

bench: env-test ## measure against the other ways to do it, side by side
	@$(BIN)/python -m scripts.bench

fuzz: env-test ## look for bytes of a card or terminal that confuse us, SECONDS for each parser
	@$(BIN)/python -m scripts.fuzz --seconds $(SECONDS)

check: env-test ## format, lint, types, import rules, shell scripts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check --no-cache .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@shellcheck $(SETUP)/*.sh $(SETUP)/deb/* .ci/run

docs: env-test ## the documents as a site, in build/docs; every link is followed
	@$(BIN)/python -m sphinx -q -E -W --keep-going -c docs/site . build/docs
	@echo "The site is build/docs/README.html"

wheel: ## the program as a wheel, and the wheels of what it uses, in dist/
	@sh $(SETUP)/system.sh run $(EXTRA)
	@sh $(SETUP)/wheel.sh $(EXTRA)

deb: ## a package of this machine's Debian, with everything in it, in dist/
	@sh $(SETUP)/system.sh run kerberos
	@sh $(SETUP)/deb.sh

lock: ## choose the newest versions that pyproject.toml allows and lock them
	@sh $(SETUP)/lock.sh
