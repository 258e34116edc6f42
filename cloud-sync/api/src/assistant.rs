//! The assistant's routes: notes, personality, conversations, memory, events, the moods' pictures.
//!
//! Robot and cloud serve the same ones, each from a store of its own. Handlers parse, ask the store and answer: they keep no
//! rows, know no SQL, and never show one person what belongs to another.

mod asked;
pub mod body;
pub mod chat;
mod conversations;
mod etag;
mod live;
mod memory;
mod moods;
mod notes;
mod pages;
mod persona;
mod refusal;
pub mod said;
mod sync;
mod tiers;
mod whose;

use cloud_sync_protocol::store::{
    ChatStore, ConversationStore, EventStore, MemoryStore, NoteStore, PersonaStore, SyncStore,
};

use crate::access::{Guards, Rule};
use crate::chain::Chain;
use crate::home::Homes;
use crate::openapi::ApiRouter;
use crate::rate::Rate;
use crate::scope::Scope;

use body::Body;
use chat::Chat;
use whose::Assistant;

/// Who may read.
const READ: Rule = Rule::scope(Scope::Read, Rate::Read);
/// Who may write notes and moods.
const WRITE: Rule = Rule::scope(Scope::Speak, Rate::Write);

/// How both sides stand, and conflicts.
pub fn sync_routes<S: SyncStore>(guards: &Guards, homes: Homes, store: S) -> ApiRouter {
    sync::routes(guards, Assistant::new(homes, store))
}

/// All others, over the rows in `rows`, what finds them again in `memory`, what a chat moves, and who thinks for it.
pub fn routes<S, M, B>(guards: &Guards, homes: Homes, rows: S, memory: M, body: B, chain: Chain) -> ApiRouter
where
    S: NoteStore + PersonaStore + ConversationStore + EventStore + ChatStore,
    M: MemoryStore,
    B: Body,
{
    let rows = Assistant::new(homes.clone(), rows);
    let chat = Chat::new(guards, rows.clone(), memory.clone(), body, chain.clone());
    ApiRouter::new(guards)
        .merge(notes::routes(guards, rows.clone()))
        .merge(memory::routes(guards, Assistant::new(homes, memory)))
        .merge(persona::routes(guards, rows.clone()))
        .merge(conversations::routes(guards, rows.clone()))
        .merge(chat::routes(guards, chat.clone()))
        .merge(live::routes(guards, rows, chat))
        .merge(moods::routes(guards))
        .merge(tiers::routes(guards, chain))
}
