# The few commands people type. Needs Rust, a C compiler and make; what a command needs beyond that it says itself.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Absolute, because cargo and the scripts run in several folders.
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
# Prebuilt cargo-deny and cargo-fuzz; the second compiler's files; the fuzzers' files.
TOOLS := $(TARGET)/tools
CROSS := $(TARGET)/cross
FUZZ := $(TARGET)/fuzz
FUZZ_SECONDS ?= 30
SEEDS ?= 1000
# Parts that have figures, in the order `make bench` takes them.
PARTS := link body memory mind
ONLY ?= $(PARTS)
# Arguments for the agent: make run ARGS="--lan"
ARGS ?=

.PHONY: help run test check sim bench cross fmt clippy deny tidy systemd fuzz page bench-link bench-body bench-memory bench-mind

help: ## say what there is
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r command text; do \
		printf '  %-12s %s\n' "$$command" "$$text"; done

# The dev profile: a cold build is shorter than a release build and `make test` uses the same one, while the root manifest
# optimises what runs at 50 to 1000 Hz (link, controller, body, rules).
run: ## build and start the agent with a simulated body, and print its address (ARGS="--lan" and other flags of the agent)
	cargo run --locked --package agent --bin robbie-agent -- run --print-url $(ARGS)

test: ## every test: rules, real processes, the page in a browser
	cargo test --locked --workspace
	@$(MAKE) page

page:
	@.ci/page.sh "$(TARGET)"

check: fmt clippy deny tidy systemd fuzz ## format, lints, dependencies, tidiness, service files, every fuzz target for FUZZ_SECONDS (30)

fmt:
	cargo fmt --all --check
	cargo fmt --manifest-path firmware-bridge/fuzz/Cargo.toml --check

clippy:
	cargo clippy --locked --workspace --all-targets -- -D warnings

deny:
	@.ci/tools.sh "$(TOOLS)"
	"$(TOOLS)/bin/cargo-deny" --locked check --hide-inclusion-graph bans licenses sources

tidy:
	cargo test --locked --package agent --test tidy

systemd:
	@systemd/check.sh

fuzz:
	@.ci/tools.sh "$(TOOLS)"
	@for target in $$("$(TOOLS)/bin/cargo-fuzz" list --fuzz-dir firmware-bridge/fuzz); do \
		echo "fuzz $$target for $(FUZZ_SECONDS) s"; \
		mkdir -p "$(FUZZ)/corpus/$$target"; \
		"$(TOOLS)/bin/cargo-fuzz" run --fuzz-dir firmware-bridge/fuzz --target-dir "$(FUZZ)" --sanitizer none "$$target" \
			"$(FUZZ)/corpus/$$target" "firmware-bridge/fuzz/seeds/$$target" \
			-- -max_total_time=$(FUZZ_SECONDS) -max_len=512 -timeout=5 -verbosity=0 -print_final_stats=1; \
	done

sim: ## stops under seeded faults in virtual time (SEEDS=10000)
	SEEDS=$(SEEDS) cargo test --locked --release --package agent --test sim -- --nocapture

bench: $(ONLY:%=bench-%) ## figures, one JSON line each (ONLY=link, ONLY=body, ONLY=memory, ONLY=mind; ROUNDS=100 kills)

# Cargo talks on stderr, so that stdout holds the figures alone. Variables given to make reach the benches: ROUNDS=200 kills,
# TRIALS=100 silences, MINUTES=1 of teleop, FIGURES=stop,wire (see agent/benches/body/main.rs), COLD=1 a cold build.
bench-link:
	@cargo bench --locked --quiet --package firmware-bridge-link --bench decode
	@cargo bench --locked --quiet --package firmware-bridge-link --bench corruption
	@cargo bench --locked --quiet --package firmware-bridge-host --bench rtt

bench-body:
	@cargo build --locked --quiet --release --package firmware-bridge-sim --bin robbie-body
	@cargo bench --locked --quiet --package agent --bench body

bench-memory:
	@cargo build --locked --quiet --release --package firmware-bridge-sim --bin robbie-body
	@cargo bench --locked --quiet --package agent --bench memory
	@cargo bench --locked --quiet --package models-local --bench embed

bench-mind:
	@cargo bench --locked --quiet --package models-mind --bench mind
	@cargo build --locked --quiet --release --package firmware-bridge-sim --bin robbie-body
	@cargo bench --locked --quiet --package agent --bench mind

cross: ## build the agent for 64-bit ARM and run it emulated; build link and controller for a bare microcontroller
	@cross/build.sh "$(CROSS)"
	@cross/check.sh "$(CROSS)"
