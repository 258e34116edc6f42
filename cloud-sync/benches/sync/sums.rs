//! What both sides have in their databases, in a few numbers: where each scope stands, and the sum of its rows.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::sync::row::checksum;
use rusqlite::OpenFlags;
use sqlx::{Connection, PgConnection, Row};

use crate::system::postgres::Postgres;

/// Version of a scope's last change, and the sum of its rows, by scope; without those in which nothing was ever written.
pub(crate) type Sums = BTreeMap<String, (u64, u64)>;

/// As the robot's file has them, looked at from outside.
pub(crate) fn of_robot(data: &Path) -> anyhow::Result<Sums> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = rusqlite::Connection::open_with_flags(data.join("memory.db"), flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    let mut scopes = connection.prepare("SELECT scope, cursor, checksum FROM sync_scopes")?;
    let sums = scopes.query_map((), |row| {
        let numbers: (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok((row.get(0)?, (numbers.0.cast_unsigned(), numbers.1.cast_unsigned())))
    })?;
    let mut sums: Sums = sums.collect::<Result<_, _>>()?;
    sums.retain(|_, (cursor, _)| *cursor > 0);
    Ok(sums)
}

/// How often the robot found that its rows were not those of the cloud: each time is a mistake of ours.
pub(crate) fn mismatches(data: &Path) -> anyhow::Result<i64> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = rusqlite::Connection::open_with_flags(data.join("memory.db"), flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection.query_row("SELECT mismatches FROM sync_state", (), |row| row.get(0))?)
}

/// As Postgres has them: the sum that the service keeps, which must be that of its rows.
pub(crate) fn of_cloud(postgres: &Postgres, url: &str) -> anyhow::Result<Sums> {
    let (kept, rows) = postgres.run(async {
        let mut connection = PgConnection::connect(url).await?;
        let mut look = connection.begin().await?;
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(&mut *look).await?;
        let kept = sqlx::query("SELECT scope, head, checksum FROM town_home.sync_scopes")
            .fetch_all(&mut *look)
            .await?;
        let sql = "SELECT scope, row_id::text, server_seq FROM town_home.sync_rows WHERE NOT deleted";
        let rows = sqlx::query(sql).fetch_all(&mut *look).await?;
        look.commit().await?;
        connection.close().await?;
        Ok((kept, rows))
    })?;
    let mut counted = BTreeMap::<String, u64>::new();
    for row in &rows {
        let id: RowId = row.get::<String, _>(1).parse()?;
        let sum = counted.entry(row.get(0)).or_default();
        *sum = sum.wrapping_add(checksum(id, row.get::<i64, _>(2).cast_unsigned()));
    }
    let mut sums = Sums::new();
    for scope in &kept {
        let name: String = scope.get(0);
        let (head, sum) = (scope.get::<i64, _>(1).cast_unsigned(), scope.get::<i64, _>(2).cast_unsigned());
        let rows = counted.get(&name).copied().unwrap_or_default();
        anyhow::ensure!(rows == sum, "the rows of {name} in the cloud sum up to {rows}, it says {sum}");
        sums.insert(name, (head, sum));
    }
    Ok(sums)
}
