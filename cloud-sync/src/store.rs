//! Everything in Postgres: one schema a town, and the registry of who is who. The only place that speaks SQL.
//!
//! The pool is private to this folder. A town's rows are reached through [`Town`] alone, whose transactions know no other
//! town's schema; rows that are kept in step are written through [`ScopeWrite`] alone.

mod columns;
mod database;
mod migrations;
pub mod registry;
mod rows;
mod scope;
mod town;

pub use columns::Id;
pub use database::{BadUrl, Database, DatabaseConfig, DatabaseError, OpenError};
pub use migrations::{Migration, MigrationError, Migrations};
pub use registry::{Registry, RegistryError};
pub use rows::{CandidateQuery, Changed, ContentHash, DIMENSIONS, Rows, Vector};
pub use town::{ScopeWrite, Town, TownRead};
