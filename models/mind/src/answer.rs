//! The sentences of answers that need no model: what was kept, what is remembered and where that comes from, what time it is.
//! It finds nothing and does nothing.

use cloud_sync_protocol::memory::{Hit, MemoryKind};
use cloud_sync_protocol::persona::Mood;
use jiff::Zoned;

use crate::skills::{Effect, Skill};
use crate::words::{content_stems, cut_at_word};

/// What is said when nobody knows.
pub const UNKNOWN: &str = "I can't answer that by myself, and I have no language model to ask.";
/// What is said when there are models, and none of them answers.
pub const NOBODY: &str = "I can't answer that now: none of my language models answers me. Ask me again later. What I can do by myself I still do: move, stop, remember and recall.";
/// What is said behind an answer that nobody could go on with.
pub const BROKEN: &str =
    "I lost my train of thought there: whoever I was thinking with is gone. Ask me again later.";
/// What is said behind an answer that took too long.
pub const TOO_LONG: &str = "I stop here: this took too long.";
/// What is said behind an answer whose asker left.
pub const LEFT: &str = "I stopped there, because whoever asked left.";
/// What is said about a message that was never answered.
pub const INTERRUPTED: &str = "I was interrupted while I worked on this message, so I don't do it a second time. Say it again if you still want it.";

/// Memories that one answer quotes.
const QUOTED_MAX: usize = 2;
/// Memories that a model is given.
const RELATED_MAX: usize = 6;
/// Bytes of a memory that are quoted.
const QUOTE_BYTES_MAX: usize = 300;
/// How good a second memory must be, as a part of the best.
const SECOND_MIN: f32 = 0.6;
/// The part of the question's words that a memory must say to be an answer.
const SHARE_MIN: f32 = 0.5;

/// The hits that answer a question, best first: those that say enough of its words, or are by whom and of when it names.
/// `is_other` leaves out the question itself.
pub fn fitting<'a>(question: &str, hits: &'a [Hit], is_other: impl Fn(&Hit) -> bool) -> Vec<&'a Hit> {
    let asked = content_stems(question);
    let fits = |hit: &&Hit| is_other(hit) && !asks(&hit.text) && !is_robbies(hit) && answers(&asked, hit);
    let mut fit: Vec<&Hit> = Vec::new();
    // A second one is worth saying where it is nearly as good, and says something else.
    for hit in hits.iter().filter(fits) {
        let is_as_good = fit.first().is_none_or(|best| hit.score >= best.score * SECOND_MIN);
        let is_new = !fit.iter().any(|other| says_the_same(&other.text, &hit.text));
        if fit.len() < QUOTED_MAX && is_as_good && is_new {
            fit.push(hit);
        }
    }
    fit
}

/// The hits that a model should know for this message, best first: those that share a word with it that means something, or
/// are by whom it names. `is_other` leaves out the message itself.
pub fn related<'a>(message: &str, hits: &'a [Hit], is_other: impl Fn(&Hit) -> bool) -> Vec<&'a Hit> {
    let asked = content_stems(message);
    let shares = |hit: &Hit| {
        let said = content_stems(&hit.text);
        asked.iter().any(|stem| said.contains(stem))
            || hit.signals.iter().any(|signal| signal.name == "speaker")
    };
    let mut related: Vec<&Hit> = Vec::new();
    let tells = |hit: &&Hit| is_other(hit) && !is_robbies(hit) && !asks(&hit.text) && shares(hit);
    for hit in hits.iter().filter(tells) {
        if related.len() < RELATED_MAX && !related.iter().any(|other| says_the_same(&other.text, &hit.text)) {
            related.push(hit);
        }
    }
    related
}

/// Whether one text holds the other, as the message that a note was made of does.
fn says_the_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    let core = |text: &str| text.trim_end_matches(['.', '!']).to_owned();
    one.contains(&core(&other)) || other.contains(&core(&one))
}

fn answers(asked: &[String], hit: &Hit) -> bool {
    let gave = |name: &str| hit.signals.iter().any(|signal| signal.name == name && signal.share > 0.0);
    let said = content_stems(&hit.text);
    let shared = asked.iter().filter(|stem| said.contains(stem)).count();
    let share = if asked.is_empty() { 0.0 } else { shared as f32 / asked.len() as f32 };
    share >= SHARE_MIN || (gave("speaker") && (gave("time") || shared > 0))
}

/// What Robbie said itself is no testimony.
fn is_robbies(hit: &Hit) -> bool {
    hit.kind == MemoryKind::Turn && hit.speaker.as_deref() == Some("robbie")
}

fn asks(text: &str) -> bool {
    text.trim_end().ends_with('?')
}

/// What the memory says, and where each of it comes from; that it says nothing, where there is none.
#[must_use]
pub fn recalled(hits: &[&Hit]) -> String {
    if hits.is_empty() {
        return "I don't remember anything about that.".to_owned();
    }
    let quoted: Vec<String> = hits.iter().map(|hit| quoted(hit)).collect();
    quoted.join(" ")
}

fn quoted(hit: &Hit) -> String {
    let day = hit.at.strftime("%-d %B %Y");
    let whole = hit.text.trim();
    let text = cut_at_word(whole, QUOTE_BYTES_MAX);
    let more = if text.len() < whole.len() { "..." } else { "" };
    let by = hit.speaker.as_deref();
    match (hit.kind, by) {
        (MemoryKind::Note, Some(by)) => format!("A note by {by} of {day} says: \"{text}{more}\"."),
        (MemoryKind::Note, None) => format!("A note of {day} says: \"{text}{more}\"."),
        (MemoryKind::Fact, _) => format!("I learnt on {day}: \"{text}{more}\"."),
        (MemoryKind::Turn, Some(by)) => format!("On {day} {by} said: \"{text}{more}\"."),
        (MemoryKind::Turn, None) => format!("On {day} somebody said: \"{text}{more}\"."),
    }
}

/// That a note was kept.
#[must_use]
pub fn remembered(text: &str) -> String {
    let short = cut_at_word(text, QUOTE_BYTES_MAX);
    let more = if short.len() < text.len() { "..." } else { "" };
    format!("I'll remember: \"{short}{more}\".")
}

/// That a mood was taken on.
#[must_use]
pub fn in_mood(mood: Mood) -> String {
    format!("I'm {} now.", mood.as_str())
}

/// Why the mood is what it is.
#[must_use]
pub fn why_mood(mood: Mood, reason: Option<&str>) -> String {
    match reason {
        Some(reason) => format!("I'm {} because {reason}.", mood.as_str()),
        None => format!("I'm {}: nothing has changed my mood yet.", mood.as_str()),
    }
}

/// The time of day.
#[must_use]
pub fn time(now: Option<&Zoned>) -> String {
    now.map_or_else(no_clock, |now| format!("It is {}.", now.strftime("%H:%M")))
}

/// The date.
#[must_use]
pub fn date(now: Option<&Zoned>) -> String {
    now.map_or_else(no_clock, |now| format!("It is {}.", now.strftime("%A, %-d %B %Y")))
}

fn no_clock() -> String {
    "I don't know: my clock has not been set since I was switched on.".to_owned()
}

/// What can be asked of a robot with these skills.
#[must_use]
pub fn abilities(skills: &[Skill]) -> String {
    let all = Skill::all().filter(|skill| skills.contains(skill) && skill.effect() != Effect::Answers);
    let names: Vec<String> = all.map(|skill| skill.name().replace('_', " ")).collect();
    format!("You can ask me for: {}.", names.join(", "))
}

/// Words that become a sentence: a capital letter in front, a full stop behind.
#[must_use]
pub fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    let stop = if words.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use cloud_sync_protocol::id::RowId;
    use cloud_sync_protocol::memory::Signal;
    use jiff::Timestamp;

    use super::*;

    fn hit(kind: MemoryKind, text: &str, speaker: &str, signals: &[&str]) -> Hit {
        let signals = signals.iter().map(|name| Signal { name: (*name).to_owned(), share: 0.5 });
        Hit {
            id: RowId::named(text),
            kind,
            text: text.to_owned(),
            speaker: Some(speaker.to_owned()),
            at: Timestamp::from_second(1_795_000_000).unwrap(),
            conversation_id: None,
            score: 1.0,
            signals: signals.collect(),
            why: String::new(),
        }
    }

    fn check(question: &str, hit: &Hit, wanted: bool) {
        let is_fit = !fitting(question, std::slice::from_ref(hit), |_| true).is_empty();
        assert_eq!(is_fit, wanted, "{question} {}", hit.text);
    }

    #[test]
    fn only_what_speaks_of_the_question_answers_it() {
        // By its words, or by its speaker and time; never a question, and never Robbie's own words.
        use MemoryKind::{Note, Turn};
        check("where are my keys?", &hit(Note, "my keys are on the hook", "owner", &["words"]), true);
        check("where are my keys?", &hit(Note, "the milk is empty", "owner", &["meaning"]), false);
        check("where are my keys?", &hit(Turn, "where did I put my keys?", "owner", &["words"]), false);
        check("where are my keys?", &hit(Turn, "I don't know your keys.", "robbie", &["words"]), false);
        let said = hit(Turn, "The train leaves at nine.", "Anna", &["speaker", "time"]);
        check("what did Anna say last week?", &said, true);
        let said = hit(Turn, "The train leaves at nine.", "Anna", &["speaker"]);
        check("what did Anna say about walnuts?", &said, false);
    }

    #[test]
    fn what_says_the_same_is_quoted_once() {
        let note = hit(MemoryKind::Note, "my keys are on the hook", "owner", &[]);
        let said = hit(MemoryKind::Turn, "Remember that my keys are on the hook!", "owner", &[]);
        let other = hit(MemoryKind::Note, "the car keys are with Ben", "owner", &[]);
        let hits = [note, said, other];
        let fit = fitting("where are my keys?", &hits, |_| true);
        let quoted: Vec<&str> = fit.iter().map(|hit| hit.text.as_str()).collect();
        assert_eq!(quoted, ["my keys are on the hook", "the car keys are with Ben"]);
    }

    #[test]
    fn an_answer_names_its_source() {
        let note = hit(MemoryKind::Note, "my keys are on the hook", "owner", &[]);
        assert_eq!(
            recalled(&[&note]),
            "A note by owner of 18 November 2026 says: \"my keys are on the hook\"."
        );
        assert_eq!(recalled(&[]), "I don't remember anything about that.");
        let long = hit(MemoryKind::Turn, &"very long ".repeat(100), "Ann", &[]);
        assert!(recalled(&[&long]).len() < QUOTE_BYTES_MAX + 60);
    }

    #[test]
    fn words_become_a_sentence() {
        assert_eq!(sentence("blushing is for the owner alone"), "Blushing is for the owner alone.");
        assert_eq!(sentence("Done!"), "Done!");
        assert_eq!(sentence(""), ".");
    }
}
