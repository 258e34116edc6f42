//! Paired robots, and the codes by which they come in.

use cloud_sync_protocol::town::{RobotId, TownId};
use sqlx::PgConnection;

use super::people::count;
use super::{DEVICES_MAX, Hash, Registered, Registry, RegistryError, is_orphan, robot_named, town_named};

/// How long a code can be used.
pub const CODE_MS: i64 = 10 * 60 * 1000;
/// Bytes of a version.
pub const VERSION_BYTES_MAX: usize = 64;
/// Codes of one town that wait to be used; the one that ends first makes room.
const CODES_MAX: i64 = 32;
/// Wrong codes from one address within [`TRIES_MS`].
const TRIES_MAX: i64 = 5;
/// How long a wrong code is remembered.
const TRIES_MS: i64 = 10 * 60 * 1000;
/// Wrong codes that are remembered at all; beyond that nobody's code is listened to.
const ALL_TRIES_MAX: i64 = 100_000;
/// Numbers that are tried behind a name that is taken.
const NUMBERS: std::ops::RangeInclusive<u32> = 2..=999;

/// A device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The robot.
    pub id: RobotId,
    /// Whose it is.
    pub user_id: String,
    /// The robot's program when it was paired.
    pub version: String,
    /// When it was paired, Unix milliseconds.
    pub paired_ms: i64,
    /// When it was revoked.
    pub revoked_ms: Option<i64>,
}

/// Which robot a code is for.
#[derive(Clone, Debug)]
pub struct DeviceWish {
    /// Whose it shall be.
    pub user_id: String,
    /// The name it shall have, also where another has it: that one then no longer comes in.
    pub robot: Option<RobotId>,
}

/// A code to be made.
#[derive(Clone, Debug)]
pub struct NewCode {
    /// Hash of the code.
    pub hash: Hash,
    /// Now, Unix milliseconds.
    pub now_ms: i64,
}

/// What a robot asks for that shows a code.
#[derive(Clone, Debug)]
pub struct PairWish {
    /// Hash of the code.
    pub code: Hash,
    /// Where it comes from.
    pub address: String,
    /// The name it would like.
    pub robot: Option<RobotId>,
    /// Its program.
    pub version: String,
    /// Hash of the secret that it has from an earlier pairing: it is then known again by that.
    pub known: Option<Hash>,
    /// The town and the owner that it belongs to already.
    pub belongs: Option<(String, String)>,
    /// Hash of its new secret.
    pub secret: Hash,
    /// Now, Unix milliseconds.
    pub now_ms: i64,
}

/// A robot that was paired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paired {
    /// Its town.
    pub town: TownId,
    /// Its name there.
    pub robot: RobotId,
    /// Whose it is.
    pub user_id: String,
}

struct Code {
    town: TownId,
    user_id: String,
    robot: Option<RobotId>,
}

type DeviceColumns = (String, String, String, i64, Option<i64>);

impl Registry {
    /// The devices of a town, those revoked included.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn devices(&self, town: &TownId) -> Registered<Vec<Device>> {
        let mut transaction = self.database.begin_read().await?;
        let asked = "SELECT id, user_id, version, paired_ms, revoked_ms FROM registry.devices \
            WHERE town = $1 ORDER BY id";
        let rows: Vec<DeviceColumns> =
            sqlx::query_as(asked).bind(town.as_str()).fetch_all(&mut *transaction).await?;
        let device = |(id, user_id, version, paired_ms, revoked_ms): DeviceColumns| {
            Ok(Device { id: robot_named(&id)?, user_id, version, paired_ms, revoked_ms })
        };
        Ok(rows.into_iter().map(device).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Takes a device's right away. Its rows stay, and its name can be given again.
    ///
    /// # Errors
    /// No such device in this town, or it was revoked before.
    pub async fn revoke_device(&self, town: &TownId, robot: &RobotId, now_ms: i64) -> Registered<()> {
        let mut transaction = self.database.begin_write().await?;
        let revoke = "UPDATE registry.devices SET revoked_ms = $3 \
            WHERE town = $1 AND id = $2 AND revoked_ms IS NULL";
        let revoked = sqlx::query(revoke)
            .bind(town.as_str())
            .bind(robot.as_str())
            .bind(now_ms)
            .execute(&mut *transaction)
            .await?;
        if revoked.rows_affected() == 0 {
            return Err(RegistryError::NotFound("device"));
        }
        Ok(transaction.commit().await?)
    }

    /// Keeps a code by which a robot may become a device of this town, for ten minutes.
    ///
    /// # Errors
    /// No such user, or there are too many devices.
    pub async fn add_code(&self, town: &TownId, wish: &DeviceWish, code: &NewCode) -> Registered<()> {
        let mut transaction = self.database.begin_write().await?;
        let devices = "SELECT count(*) FROM registry.devices WHERE town = $1";
        if count(&mut transaction, devices, town.as_str()).await? >= DEVICES_MAX {
            return Err(RegistryError::Full { what: "devices", max: DEVICES_MAX });
        }
        sqlx::query("DELETE FROM registry.pairing_codes WHERE expires_ms <= $1")
            .bind(code.now_ms)
            .execute(&mut *transaction)
            .await?;
        let room = "DELETE FROM registry.pairing_codes WHERE hash IN (SELECT hash FROM registry.pairing_codes \
            WHERE town = $1 ORDER BY expires_ms DESC OFFSET $2)";
        sqlx::query(room).bind(town.as_str()).bind(CODES_MAX - 1).execute(&mut *transaction).await?;
        let insert = "INSERT INTO registry.pairing_codes (hash, town, user_id, robot, expires_ms) \
            VALUES ($1, $2, $3, $4, $5)";
        let inserted = sqlx::query(insert)
            .bind(&code.hash[..])
            .bind(town.as_str())
            .bind(&wish.user_id)
            .bind(wish.robot.as_ref().map(RobotId::as_str))
            .bind(code.now_ms + CODE_MS)
            .execute(&mut *transaction)
            .await;
        match inserted {
            Ok(_) => Ok(transaction.commit().await?),
            Err(error) if is_orphan(&error) => Err(RegistryError::NotFound("user")),
            Err(error) => Err(error.into()),
        }
    }

    /// Uses a code up, and makes the robot that shows it a device.
    ///
    /// # Errors
    /// The code is not valid; from its address came too many wrong ones.
    pub async fn pair(&self, wish: &PairWish) -> Registered<Paired> {
        let mut transaction = self.database.begin_write().await?;
        check_tries(&mut transaction, wish).await?;
        let Some(code) = use_up(&mut transaction, wish).await? else {
            sqlx::query("INSERT INTO registry.wrong_codes (address, at_ms) VALUES ($1, $2)")
                .bind(&wish.address)
                .bind(wish.now_ms)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            return Err(RegistryError::WrongCode);
        };
        let is_others =
            |(town, user): &(String, String)| *town != *code.town.as_str() || *user != code.user_id;
        if wish.belongs.as_ref().is_some_and(is_others) {
            // Undone with the transaction: the code stays good for the robot that it is for.
            return Err(RegistryError::BelongsElsewhere);
        }
        let robot = name(&mut transaction, &code, wish).await?;
        let insert = "INSERT INTO registry.devices (town, id, user_id, hash, version, paired_ms) \
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (town, id) DO UPDATE SET user_id = excluded.user_id, \
            hash = excluded.hash, version = excluded.version, paired_ms = excluded.paired_ms, revoked_ms = NULL";
        sqlx::query(insert)
            .bind(code.town.as_str())
            .bind(robot.as_str())
            .bind(&code.user_id)
            .bind(&wish.secret[..])
            .bind(&wish.version)
            .bind(wish.now_ms)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Paired { town: code.town, robot, user_id: code.user_id })
    }
}

/// Refuses an address that guesses. Two tries at once wait for each other, so that a swarm of them counts as what it is.
async fn check_tries(connection: &mut PgConnection, wish: &PairWish) -> Registered<()> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('pair/' || $1, 0))")
        .bind(&wish.address)
        .execute(&mut *connection)
        .await?;
    let since = wish.now_ms - TRIES_MS;
    sqlx::query("DELETE FROM registry.wrong_codes WHERE at_ms <= $1")
        .bind(since)
        .execute(&mut *connection)
        .await?;
    let asked = "SELECT count(*) FILTER (WHERE address = $1), min(at_ms) FILTER (WHERE address = $1), \
        count(*), min(at_ms) FROM registry.wrong_codes";
    let (own, own_first, all, all_first): (i64, Option<i64>, i64, Option<i64>) =
        sqlx::query_as(asked).bind(&wish.address).fetch_one(connection).await?;
    let first = if own >= TRIES_MAX {
        own_first
    } else if all >= ALL_TRIES_MAX {
        all_first
    } else {
        return Ok(());
    };
    let retry_after_ms = first.map_or(TRIES_MS, |first| (first + TRIES_MS - wish.now_ms).max(1));
    Err(RegistryError::TooManyTries { retry_after_ms })
}

async fn use_up(connection: &mut PgConnection, wish: &PairWish) -> Registered<Option<Code>> {
    let used = "DELETE FROM registry.pairing_codes WHERE hash = $1 AND expires_ms > $2 \
        RETURNING town, user_id, robot";
    let code: Option<(String, String, Option<String>)> =
        sqlx::query_as(used).bind(&wish.code[..]).bind(wish.now_ms).fetch_optional(connection).await?;
    let Some((town, user_id, robot)) = code else { return Ok(None) };
    let robot = robot.map(|robot| robot_named(&robot)).transpose()?;
    Ok(Some(Code { town: town_named(&town)?, user_id, robot }))
}

/// The robot's name: the one that the code says, else the one it had, else the one it wishes with a number where that is taken.
async fn name(connection: &mut PgConnection, code: &Code, wish: &PairWish) -> Registered<RobotId> {
    if let Some(robot) = &code.robot {
        return Ok(robot.clone());
    }
    let had = "SELECT id FROM registry.devices \
        WHERE town = $1 AND user_id = $2 AND hash = $3 AND revoked_ms IS NULL";
    let had: Option<String> = sqlx::query_scalar(had)
        .bind(code.town.as_str())
        .bind(&code.user_id)
        .bind(wish.known.as_ref().map(|known| &known[..]))
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(had) = had {
        return Ok(robot_named(&had)?);
    }
    // Two robots that are paired at once must not be given one name.
    sqlx::query("SELECT FROM registry.towns WHERE id = $1 FOR NO KEY UPDATE")
        .bind(code.town.as_str())
        .execute(&mut *connection)
        .await?;
    let taken: Vec<String> =
        sqlx::query_scalar("SELECT id FROM registry.devices WHERE town = $1 AND revoked_ms IS NULL")
            .bind(code.town.as_str())
            .fetch_all(connection)
            .await?;
    let wished = match &wish.robot {
        Some(robot) => robot.clone(),
        None => robot_named("robbie")?,
    };
    let numbered = NUMBERS.map(|number| wished.numbered(number));
    let free = std::iter::once(wished.clone())
        .chain(numbered)
        .find(|name| taken.iter().all(|id| id != name.as_str()));
    free.ok_or(RegistryError::Full { what: "devices", max: DEVICES_MAX })
}
