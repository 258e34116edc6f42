//! What comes in about notes: each turns into what the store takes, or says which field is wrong.

use std::time::{SystemTime, UNIX_EPOCH};

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::QUERY_BYTES_MAX;
use cloud_sync_protocol::note::{
    CONTENT_BYTES_MAX, NewNote, NoteFilter, NotePatch, PRIORITY_DEFAULT, PRIORITY_MAX, TAG_BYTES_MAX,
    TAGS_MAX,
};
use cloud_sync_protocol::store::{PageAt, Whose};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::super::whose::{Assistant, USER_BYTES_MAX, check_user};
use super::super::{asked, pages};
use crate::access::Principal;
use crate::problem::{Answer, Problem};

/// Which notes to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only those that carry this tag, letter for letter.
    tag: Option<String>,
    /// Only those that contain these words, in any order, whatever their ending. `text` means the same.
    #[serde(alias = "text")]
    q: Option<String>,
    /// Only those that this person wrote.
    author: Option<String>,
    /// Notes at most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// `X-Next-Cursor` of the page before, with the same filters.
    cursor: Option<String>,
    /// Another user than the token's; needs the scope admin.
    user_id: Option<String>,
}

impl ListQuery {
    /// Filter, page, user.
    ///
    /// # Errors
    /// A filter is longer than anything it could match, or the page cannot be read.
    pub(super) fn filter(self) -> Answer<(NoteFilter, PageAt, Option<String>)> {
        let filter = NoteFilter {
            tag: asked::given(self.tag),
            text: asked::given(self.q),
            author: asked::given(self.author),
        };
        asked::text("tag", filter.tag.as_deref().unwrap_or_default(), TAG_BYTES_MAX)?;
        asked::text("q", filter.text.as_deref().unwrap_or_default(), QUERY_BYTES_MAX)?;
        asked::text("author", filter.author.as_deref().unwrap_or_default(), USER_BYTES_MAX)?;
        let at = pages::asked(self.limit.as_deref(), self.cursor)?;
        Ok((filter, at, asked::given(self.user_id)))
    }
}

/// A note to be written.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NoteBody {
    /// A UUID of the client's own, so that sending the note again writes it once. Absent: the store draws one.
    #[schema(format = "uuid")]
    id: Option<String>,
    /// What it says: at least one letter, at most 16 KiB of UTF-8.
    content: String,
    /// Its tags: at most 32, each of 1 to 64 bytes.
    tags: Option<Vec<String>>,
    /// The higher, the sooner it matters.
    #[schema(minimum = 0, maximum = 100, default = 50)]
    priority: Option<i64>,
    /// Who wrote it; the token's user where it is absent. Another one needs the scope admin.
    created_by: Option<String>,
    /// Another user than the token's; needs the scope admin.
    user_id: Option<String>,
}

impl NoteBody {
    /// The note, and whose it is.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub(super) fn note<S>(self, assistant: &Assistant<S>, principal: &Principal) -> Answer<(NewNote, Whose)> {
        let id = self.id.map(|id| id.parse::<RowId>()).transpose();
        let id = id.map_err(|error| Problem::bad_request(format!("{error}.")).field("id"))?;
        check_content(&self.content)?;
        let tags = self.tags.unwrap_or_default();
        check_tags(&tags)?;
        let created_by = asked::given(self.created_by);
        asked::text("created_by", created_by.as_deref().unwrap_or_default(), USER_BYTES_MAX)?;
        let priority = asked::number("priority", self.priority, 0..=PRIORITY_MAX)?;
        let whose = assistant.whose(principal, asked::given(self.user_id).as_deref())?;
        let created_by = created_by.unwrap_or_else(|| whose.user.clone());
        check_user("created_by", principal, &created_by)?;
        let id = match id {
            Some(id) => id,
            None => new_id()?,
        };
        let priority = priority.unwrap_or(PRIORITY_DEFAULT);
        Ok((NewNote { id, content: self.content, created_by, tags, priority }, whose))
    }
}

/// What to change in a note; what is absent or null stays.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NoteChangeBody {
    /// What it says: at least one letter, at most 16 KiB of UTF-8.
    content: Option<String>,
    /// Its tags, all of them: at most 32, each of 1 to 64 bytes.
    tags: Option<Vec<String>>,
    /// The higher, the sooner it matters.
    #[schema(minimum = 0, maximum = 100)]
    priority: Option<i64>,
    /// Robbie has brought it up.
    surfaced: Option<bool>,
    /// Another user than the token's; needs the scope admin.
    user_id: Option<String>,
}

impl NoteChangeBody {
    /// The change, and the user it is for.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub(super) fn patch(self) -> Answer<(NotePatch, Option<String>)> {
        if let Some(content) = &self.content {
            check_content(content)?;
        }
        check_tags(self.tags.as_deref().unwrap_or_default())?;
        let priority = asked::number("priority", self.priority, 0..=PRIORITY_MAX)?;
        let patch = NotePatch { content: self.content, tags: self.tags, priority, surfaced: self.surfaced };
        Ok((patch, asked::given(self.user_id)))
    }
}

fn check_content(content: &str) -> Answer<()> {
    asked::text("content", content, CONTENT_BYTES_MAX)?;
    if content.trim().is_empty() {
        return Err(Problem::bad_request("content is empty: a note says something.").field("content"));
    }
    Ok(())
}

fn check_tags(tags: &[String]) -> Answer<()> {
    if tags.len() > TAGS_MAX {
        return Err(Problem::too_many("tags", TAGS_MAX));
    }
    for tag in tags {
        asked::text("tags", tag, TAG_BYTES_MAX)?;
        if tag.trim().is_empty() {
            return Err(Problem::bad_request("A tag is empty.").field("tags"));
        }
    }
    Ok(())
}

/// An id that sorts by time, as far as this machine's clock is right.
fn new_id() -> Answer<RowId> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut random = [0; 10];
    getrandom::fill(&mut random)
        .map_err(|error| Problem::memory_down(format!("The system gives no random numbers: {error}.")))?;
    Ok(RowId::new(u64::try_from(since_1970.as_micros()).unwrap_or(u64::MAX), random))
}
