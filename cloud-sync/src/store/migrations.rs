//! Brings the database up to date when the program starts, and makes the schemas of new towns.
//!
//! Every step is one transaction, together with the note that it was taken: a start that is killed leaves nothing half done,
//! and the next one goes on. One program at a time, by an advisory lock. A database that a newer program has written is refused.

use cloud_sync_protocol::town::TownId;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, raw_sql};

use super::town::{schema, search_path};

/// One step: a file of `migrations/cloud/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Rises by one.
    pub number: i32,
    /// Its file's name behind the number.
    pub name: &'static str,
    /// What it does.
    pub sql: &'static str,
}

/// What the schemas of a program are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrations {
    /// Who is who: one schema.
    pub registry: &'static [Migration],
    /// Rows: one schema a town.
    pub town: &'static [Migration],
}

macro_rules! migration {
    ($folder:literal, $number:literal, $name:literal) => {
        Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../../../migrations/cloud/", $folder, "/", $name, ".sql")),
        }
    };
}

impl Migrations {
    /// Those of this program.
    pub const OWN: Self = Self {
        registry: &[migration!("registry", 1, "0001_registry")],
        town: &[migration!("town", 1, "0001_sync"), migration!("town", 2, "0002_memory")],
    };
}

/// Everybody who starts takes this lock first, and whoever makes a town, too.
const LOCK: i64 = 0x726f_6262_6965;
/// What Postgres says where an extension is not installed, or where a feature is missing.
const NOT_THERE: [&str; 2] = ["0A000", "58P01"];
/// What it says to whom may not.
const NOT_ALLOWED: &str = "42501";

/// Classes of what is otherwise in a moment: a connection that broke, no room, a server that ends or starts.
const PASSING: [&str; 3] = ["08", "53", "57"];

/// Why the database cannot be brought up to date. It is as it was before the step that failed.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// A newer program has written it.
    #[error(
        "this database was written by a newer version ({schema} is at step {found}, this program knows {known}); install \
         that version, or use another database"
    )]
    Newer {
        /// Registry or towns.
        schema: &'static str,
        /// Its newest step.
        found: i32,
        /// The newest that this program knows.
        known: i32,
    },
    /// The server has no vectors.
    #[error(
        "this Postgres has no pgvector, which keeps what is searched by meaning: install it on the database's machine \
         (https://github.com/pgvector/pgvector), then start again"
    )]
    NoVectors(#[source] sqlx::Error),
    /// The user may not bring it up to date.
    #[error(
        "the user of DATABASE_URL may not make what is needed; give it the database (ALTER DATABASE ... OWNER TO ...), or \
         have an administrator run CREATE EXTENSION vector in it"
    )]
    NotAllowed(#[source] sqlx::Error),
    /// A step failed.
    #[error("the database cannot be brought up to date: step {step} failed")]
    Step {
        /// Which.
        step: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The connection broke, or the like.
    #[error("the database cannot be looked at")]
    Database(#[from] sqlx::Error),
}

/// Brings registry and towns up to date. Gives the schema in which the vector type lives.
pub(super) async fn run(
    connection: &mut PgConnection,
    migrations: Migrations,
) -> Result<String, MigrationError> {
    // A lock of the session: it ends with it, whatever happens to this program. A wait or a step may take its time.
    connection.execute("SET statement_timeout = 0; SET client_min_messages = warning").await?;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut *connection).await?;
    note_book(connection).await?;
    refuse_newer(connection, migrations).await?;
    reached(connection, migrations).await?;
    let shared = vectors(connection).await?;
    for step in migrations.registry {
        take(connection, Schema::Registry, step).await?;
    }
    let towns: Vec<String> =
        sqlx::query_scalar("SELECT id FROM registry.towns ORDER BY id").fetch_all(&mut *connection).await?;
    for town in towns.iter().filter_map(|town| town.parse().ok()) {
        for step in migrations.town {
            take(connection, Schema::Town(&town, &shared), step).await?;
        }
    }
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(&mut *connection).await?;
    Ok(shared)
}

/// Makes a new town's schema, in the transaction that makes the town.
pub(super) async fn make_town(
    connection: &mut PgConnection,
    town: &TownId,
    shared: &str,
    migrations: Migrations,
) -> Result<(), MigrationError> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *connection).await?;
    // A newer program may have started beside this one; its towns have what this one does not know.
    refuse_newer(connection, migrations).await?;
    for step in migrations.town {
        apply(connection, Schema::Town(town, shared), step).await?;
    }
    connection.execute("SET LOCAL search_path = pg_catalog").await?;
    Ok(())
}

/// Which schema a step changes.
#[derive(Clone, Copy)]
enum Schema<'a> {
    Registry,
    Town(&'a TownId, &'a str),
}

impl Schema<'_> {
    fn name(self) -> String {
        match self {
            Self::Registry => "registry".to_owned(),
            Self::Town(town, _) => schema(town),
        }
    }

    fn search_path(self) -> String {
        match self {
            Self::Registry => "registry".to_owned(),
            Self::Town(town, shared) => search_path(town, shared),
        }
    }
}

/// Where is written down how far registry and towns are.
async fn note_book(connection: &mut PgConnection) -> Result<(), MigrationError> {
    let made = "CREATE SCHEMA IF NOT EXISTS registry; \
        CREATE TABLE IF NOT EXISTS registry.reached (\
            schema text PRIMARY KEY CHECK (schema IN ('registry', 'towns')), step integer NOT NULL)";
    raw_sql(made).execute(connection).await.map_err(|error| explained("note book", error))?;
    Ok(())
}

async fn refuse_newer(connection: &mut PgConnection, migrations: Migrations) -> Result<(), MigrationError> {
    for (schema, known) in [("registry", newest(migrations.registry)), ("towns", newest(migrations.town))] {
        let found: Option<i32> = sqlx::query_scalar("SELECT step FROM registry.reached WHERE schema = $1")
            .bind(schema)
            .fetch_optional(&mut *connection)
            .await?;
        if let Some(found) = found.filter(|found| *found > known) {
            return Err(MigrationError::Newer { schema, found, known });
        }
    }
    Ok(())
}

/// Writes down whose database it is before the first step is taken: an older program must not begin where this one broke off.
async fn reached(connection: &mut PgConnection, migrations: Migrations) -> Result<(), MigrationError> {
    let noted = "INSERT INTO registry.reached VALUES ('registry', $1), ('towns', $2) \
        ON CONFLICT (schema) DO UPDATE SET step = excluded.step";
    sqlx::query(noted)
        .bind(newest(migrations.registry))
        .bind(newest(migrations.town))
        .execute(connection)
        .await?;
    Ok(())
}

fn newest(steps: &[Migration]) -> i32 {
    steps.last().map_or(0, |step| step.number)
}

/// The vector type, in a schema that all towns see. One that an administrator has put elsewhere is used where it is.
async fn vectors(connection: &mut PgConnection) -> Result<String, MigrationError> {
    let found = "SELECT nspname FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace \
        WHERE extname = 'vector'";
    let place: Option<String> = sqlx::query_scalar(found).fetch_optional(&mut *connection).await?;
    if let Some(place) = place {
        return Ok(place);
    }
    let made = "BEGIN; CREATE SCHEMA IF NOT EXISTS shared; CREATE EXTENSION vector SCHEMA shared; COMMIT";
    if let Err(error) = raw_sql(made).execute(&mut *connection).await {
        drop(raw_sql("ROLLBACK").execute(connection).await);
        let is_absent = code(&error).is_some_and(|code| NOT_THERE.contains(&code.as_str()));
        return Err(if is_absent { MigrationError::NoVectors(error) } else { explained("pgvector", error) });
    }
    Ok("shared".to_owned())
}

/// Takes a step unless it was taken, in a transaction of its own.
async fn take(
    connection: &mut PgConnection,
    schema: Schema<'_>,
    step: &Migration,
) -> Result<(), MigrationError> {
    let table = format!("{}.migrations", schema.name());
    let is_there: Option<String> =
        sqlx::query_scalar("SELECT to_regclass($1)::text").bind(&table).fetch_one(&mut *connection).await?;
    if is_there.is_some() {
        let asked = format!("SELECT EXISTS (SELECT FROM {table} WHERE number = $1)");
        let is_taken: bool =
            sqlx::query_scalar(AssertSqlSafe(asked)).bind(step.number).fetch_one(&mut *connection).await?;
        if is_taken {
            return Ok(());
        }
    }
    let mut transaction = connection.begin().await?;
    apply(&mut transaction, schema, step).await?;
    Ok(transaction.commit().await?)
}

/// Takes a step within a transaction, and writes down that it was taken.
async fn apply(
    connection: &mut PgConnection,
    schema: Schema<'_>,
    step: &Migration,
) -> Result<(), MigrationError> {
    let name = schema.name();
    let failed = |error| explained(&format!("{} of {name}", step.name), error);
    let made = format!(
        "CREATE SCHEMA IF NOT EXISTS {name}; CREATE TABLE IF NOT EXISTS {name}.migrations \
         (number integer PRIMARY KEY, name text NOT NULL, taken_at timestamptz NOT NULL DEFAULT now())"
    );
    raw_sql(AssertSqlSafe(made)).execute(&mut *connection).await.map_err(&failed)?;
    sqlx::query("SELECT set_config('search_path', $1, true)")
        .bind(schema.search_path())
        .execute(&mut *connection)
        .await
        .map_err(&failed)?;
    raw_sql(step.sql).execute(&mut *connection).await.map_err(&failed)?;
    let noted = format!("INSERT INTO {name}.migrations (number, name) VALUES ($1, $2)");
    sqlx::query(AssertSqlSafe(noted))
        .bind(step.number)
        .bind(step.name)
        .execute(&mut *connection)
        .await
        .map_err(&failed)?;
    Ok(())
}

fn explained(step: &str, error: sqlx::Error) -> MigrationError {
    match code(&error) {
        Some(code) if code == NOT_ALLOWED => MigrationError::NotAllowed(error),
        Some(code) if !PASSING.iter().any(|class| code.starts_with(class)) => {
            MigrationError::Step { step: step.to_owned(), source: error }
        }
        // The connection broke: nothing is wrong with the step.
        _ => MigrationError::Database(error),
    }
}

fn code(error: &sqlx::Error) -> Option<String> {
    match error {
        sqlx::Error::Database(said) => said.code().map(std::borrow::Cow::into_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_taken_once_and_in_order() {
        // A file that nobody listed would never be run.
        for (folder, steps) in [("registry", Migrations::OWN.registry), ("town", Migrations::OWN.town)] {
            let path = format!("{}/../migrations/cloud/{folder}", env!("CARGO_MANIFEST_DIR"));
            let mut files: Vec<String> = std::fs::read_dir(path)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            files.sort();
            let listed: Vec<String> = steps.iter().map(|step| format!("{}.sql", step.name)).collect();
            assert_eq!(files, listed);
            for (index, step) in steps.iter().enumerate() {
                assert_eq!(step.number, i32::try_from(index).unwrap() + 1);
                assert!(step.name.starts_with(&format!("{:04}_", step.number)), "{}", step.name);
            }
        }
    }
}
