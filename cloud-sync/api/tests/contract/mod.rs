//! What every program that serves the assistant's routes has to keep, whatever store is behind them: asked over real HTTP.
//!
//! Robot and cloud include this folder in their tests and hand over a running [`Program`]. It knows nothing of stores.

mod chat;
pub(crate) mod client;
mod contents;
mod conversations;
mod events;
mod memory;
mod notes;
mod pages;
mod persona;
mod refusals;
mod rights;

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `Program::owner` must have said in its only conversation, in turn with Robbie, the owner first.
pub(crate) const OWNER_SAID: [&str; 5] = [
    "My sister Anna arrives on the night train from Lisbon.",
    "I will remind you to fetch her at the station.",
    "She is allergic to walnuts, so bake the cake without.",
    "No walnuts in the cake, noted.",
    "And the spare key hangs behind the blue door.",
];

/// What `Program::other` must have said in its only conversation.
pub(crate) const OTHER_SAID: [&str; 1] = ["My locker combination hides in the xylophone case."];

/// A user of the program and a token of theirs.
pub(crate) struct Person {
    /// Their name.
    pub(crate) user_id: String,
    /// A token.
    pub(crate) token: String,
}

/// A running program without rate limits, and with nothing in its memory besides the two conversations above.
pub(crate) struct Program {
    /// Where it serves plain HTTP.
    pub(crate) address: SocketAddr,
    /// The owner, with every scope.
    pub(crate) owner: Person,
    /// Another user of the town, with the scopes read and speak.
    pub(crate) other: Person,
    /// A token of the owner's with the scope read alone.
    pub(crate) reader: String,
    /// A token of the owner's with the scope speak alone.
    pub(crate) speaker: String,
    /// A token of the owner's with the scope read, which `revoke` revokes.
    pub(crate) doomed: String,
    /// Revokes `doomed`.
    pub(crate) revoke: Box<dyn Fn() + Send + Sync>,
    /// Where the same store answers for another town, with a token of every scope there; `None` where there is one town.
    pub(crate) elsewhere: Option<(SocketAddr, String)>,
}

/// A rule, by name.
pub(crate) type Rule = (&'static str, fn(&Program));

macro_rules! rules {
    ($($module:ident :: $rule:ident),* $(,)?) => { &[$((stringify!($rule), $module::$rule)),*] };
}

/// Every rule. The order matters to two kinds: chats begin conversations, and a revoked token stays revoked.
pub(crate) const RULES: &[Rule] = rules![
    conversations::a_conversation_is_listed_and_told_in_order,
    conversations::a_conversation_of_another_does_not_exist,
    notes::a_written_note_is_read_back_as_it_was_written,
    notes::both_forms_of_a_path_answer,
    notes::a_note_sent_again_with_its_id_is_written_once,
    notes::a_patch_changes_what_it_names_alone,
    notes::of_two_writers_who_read_the_same_one_is_refused,
    notes::of_many_writers_at_once_exactly_one_wins,
    notes::if_match_is_honoured_in_every_form,
    notes::a_deleted_note_is_gone_at_once,
    notes::notes_belong_to_the_town,
    pages::filters_let_pass_what_fits_alone,
    pages::the_most_urgent_come_first,
    pages::pages_show_every_row_once,
    pages::a_cursor_fits_its_own_list_only,
    pages::limits_are_checked,
    contents::every_content_comes_back_byte_for_byte,
    contents::every_content_can_be_asked_for,
    contents::words_are_found_inside_odd_contents,
    contents::a_content_has_a_limit_that_is_named,
    contents::what_breaks_a_body_is_told_and_writes_nothing,
    contents::tags_and_priorities_have_limits,
    contents::unknown_fields_are_ignored,
    refusals::an_unknown_id_names_nothing,
    refusals::rows_of_another_town_do_not_exist,
    refusals::odd_questions_are_answered_or_told,
    memory::what_was_written_is_found_at_once,
    memory::what_was_said_is_found,
    memory::a_hit_explains_itself,
    memory::kinds_and_limits_are_exact,
    memory::surface_is_no_id_and_gives_reasons,
    persona::a_personality_begins_friendly,
    persona::an_update_changes_what_it_names_and_is_kept,
    persona::numbers_out_of_range_change_nothing,
    persona::blushing_is_for_the_owner_alone,
    persona::a_context_is_kept_as_given,
    persona::moods_have_pictures_that_are_open,
    rights::nothing_is_told_without_a_token,
    rights::scopes_do_not_contain_each_other,
    rights::another_user_needs_an_admin,
    rights::a_wrong_method_is_told,
    chat::a_message_is_kept_and_answered,
    chat::what_is_recalled_names_its_source,
    chat::what_nobody_knows_is_admitted,
    chat::a_message_sent_again_is_carried_out_once,
    chat::events_come_as_they_happen,
    chat::a_socket_talks_too,
    chat::odd_messages_are_answered_or_told,
    chat::a_conversation_is_its_users_alone,
    chat::a_mood_follows_and_says_why,
    events::what_happens_is_told_in_order,
    events::a_reader_who_comes_back_misses_nothing,
    events::a_reader_who_comes_back_while_others_write_misses_nothing,
    events::too_old_means_one_reset,
    events::nobody_hears_of_anothers_mood,
    events::what_is_not_understood_is_told_and_the_socket_stays,
    events::a_token_may_come_as_subprotocol,
    events::a_message_has_a_limit,
    events::a_reader_who_does_not_read_is_closed,
    events::a_revoked_token_closes_its_socket,
];

/// Checks every rule and names all that do not hold.
pub(crate) fn check_all(program: &Program) {
    let broken = broken(program, RULES);
    assert!(broken.is_empty(), "these rules do not hold: {broken:#?}");
}

/// The rules that do not hold.
pub(crate) fn broken(program: &Program, rules: &[Rule]) -> Vec<&'static str> {
    let is_broken = |rule: &&Rule| catch_unwind(AssertUnwindSafe(|| (rule.1)(program))).is_err();
    rules.iter().filter(is_broken).map(|(name, _)| *name).collect()
}
