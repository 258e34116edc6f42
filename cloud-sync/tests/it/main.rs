//! The service as robots, apps and people see it, on a real Postgres.
//!
//! `DATABASE_URL` names a server on which databases can be made; `.ci/postgres.sh target` starts one. Each test has a database
//! of its own, which is gone at its end.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

#[path = "../../api/tests/contract/mod.rs"]
mod contract;
mod differential;
mod http;
mod keeps_contract;
mod kept;
mod memory;
mod migrations;
mod pairing;
mod people;
mod service;
mod support;
mod sync;
#[path = "../system/mod.rs"]
#[expect(dead_code, reason = "the benches need more of it")]
mod system;
mod tenancy;
mod towns;
mod two_sided;
