//! What texts mean, by what they say and by the model that says so. Never computes a vector.

use std::fmt::Write;

use cloud_sync_protocol::store::{Stored, Whose};
use cloud_sync_protocol::town::TownId;

use super::{Rows, failed};

/// Numbers of a vector.
pub const DIMENSIONS: usize = 384;

/// What a text means to a model.
pub type Vector = [f32; DIMENSIONS];

/// Names a text by what it says; equal texts share one vector.
pub type ContentHash = Vec<u8>;

/// As Postgres reads a vector. One with a number that is none is kept as zeros, which are near to nothing, so that nobody
/// computes it over and over.
pub(super) fn vector_text(vector: &Vector) -> String {
    let is_sound = vector.iter().all(|number| number.is_finite());
    let mut text = String::with_capacity(DIMENSIONS * 12);
    for number in vector {
        let sign = if text.is_empty() { '[' } else { ',' };
        let number = if is_sound { *number } else { 0.0 };
        // Writing to a string cannot fail.
        write!(text, "{sign}{number}").unwrap_or_default();
    }
    text.push(']');
    text
}

impl Rows {
    /// Texts of a town without a vector of this model, of everybody, the newest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn missing_vectors(
        &self,
        town: &TownId,
        model: &str,
        limit: usize,
    ) -> Stored<Vec<(ContentHash, String)>> {
        let mut read = self.database.town(town).begin().await.map_err(failed)?;
        let missing = "SELECT content_hash, max(coalesce(n.content, f.content, c.message_text, '')) FROM \
            (SELECT m.kind, m.id, m.content_hash, m.at_ms FROM memory m WHERE NOT EXISTS (SELECT FROM embeddings e \
            WHERE e.model = $1 AND e.content_hash = m.content_hash) ORDER BY m.at_ms DESC LIMIT $2) AS m \
            LEFT JOIN sticky_notes n ON m.kind = 0 AND n.id = m.id LEFT JOIN facts f ON m.kind = 1 AND f.id = m.id \
            LEFT JOIN conversations c ON m.kind = 2 AND c.id = m.id GROUP BY content_hash";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let texts = sqlx::query_as(missing).bind(model).bind(limit);
        texts.fetch_all(read.connection()).await.map_err(failed)
    }

    /// Keeps vectors of a model. What is known already, and what nobody says any more, is passed over.
    ///
    /// # Errors
    /// The database does not answer, or has no room.
    pub async fn put_vectors(
        &self,
        town: &TownId,
        model: &str,
        vectors: Vec<(ContentHash, Vector)>,
    ) -> Stored<()> {
        let mut write = self.database.town(town).begin_write(&[]).await.map_err(failed)?;
        let (hashes, texts): (Vec<ContentHash>, Vec<String>) =
            vectors.into_iter().map(|(hash, vector)| (hash, vector_text(&vector))).unzip();
        let keep = "INSERT INTO embeddings (model, content_hash, embedding) SELECT $1, v.hash, v.text::vector \
            FROM unnest($2::bytea[], $3::text[]) AS v(hash, text) \
            WHERE EXISTS (SELECT FROM memory WHERE content_hash = v.hash) ORDER BY v.hash ON CONFLICT DO NOTHING";
        sqlx::query(keep)
            .bind(model)
            .bind(hashes)
            .bind(texts)
            .execute(write.connection())
            .await
            .map_err(failed)?;
        write.commit().await.map_err(failed)
    }

    /// Deletes the vectors of a model in a town where the other one has replaced it whole.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn retire_model(&self, town: &TownId, model: &str) -> Stored<()> {
        let mut write = self.database.town(town).begin_write(&[]).await.map_err(failed)?;
        let retire = "DELETE FROM embeddings WHERE model = $1";
        sqlx::query(retire).bind(model).execute(write.connection()).await.map_err(failed)?;
        write.commit().await.map_err(failed)
    }

    /// The part of what this user may see that has vectors of each of these models, 0 ..= 1; 1 where there is nothing.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn coverage(&self, whose: &Whose, models: [&str; 2]) -> Stored<[f32; 2]> {
        let mut read = self.town(whose)?.begin().await.map_err(failed)?;
        let count = "SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT FROM embeddings e \
            WHERE e.model = $2 AND e.content_hash = m.content_hash)), count(*) FILTER (WHERE EXISTS \
            (SELECT FROM embeddings e WHERE e.model = $3 AND e.content_hash = m.content_hash)) \
            FROM memory m WHERE m.user_id IN ('', $1)";
        let (all, first, second): (i64, i64, i64) = sqlx::query_as(count)
            .bind(&whose.user)
            .bind(models[0])
            .bind(models[1])
            .fetch_one(read.connection())
            .await
            .map_err(failed)?;
        let part = |with: i64| if all == 0 { 1.0 } else { with as f32 / all as f32 };
        Ok([part(first), part(second)])
    }

    /// Whether a town has vectors of this model.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn has_vectors(&self, town: &TownId, model: &str) -> Stored<bool> {
        let mut read = self.database.town(town).begin().await.map_err(failed)?;
        let asked = "SELECT EXISTS (SELECT FROM embeddings WHERE model = $1)";
        sqlx::query_scalar(asked).bind(model).fetch_one(read.connection()).await.map_err(failed)
    }

    /// The towns there are.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn towns(&self) -> Stored<Vec<TownId>> {
        let towns = self.database.registry().towns(None).await;
        let towns =
            towns.map_err(|error| cloud_sync_protocol::store::StoreError::Failed(error.to_string()))?;
        Ok(towns.into_iter().map(|town| town.id).collect())
    }
}
