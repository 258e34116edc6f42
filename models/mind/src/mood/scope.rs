//! Whether a cue was meant: who did it, and that it was not denied, hoped for, asked, reported, quoted, ordered to be said
//! or mocked. Each check looks no further than the clause or the sentence that it governs.

use super::cues::{Cue, Doer, Found, Tense, Topic, Words};
use super::sentence::{Clause, FILLERS, Said, Token};

mod lexicon;
mod mockery;

use lexicon::{
    ASKED_ABOUT, ASKING, DETERMINERS, ENDS_BADLY, IF_ONLY, INVERTS, MODALS, NAMES_NOBODY, NEGATIONS,
    NEGATIONS_BEHIND, NOT_NEGATIONS, NOT_QUESTIONS, NOT_SUPPOSING, NOT_YET, ONE_DAY, ORDERS, OWN, PEOPLE,
    POLITE, ROBBIE, SAYING, SIDE, SOME_TIME, SUPPOSING, SURE, TALES, THING_FOLLOWS, THIRD, UNSURE, WHAT,
};
pub(super) use mockery::is_mocking;

/// Whether the cue at this place was meant.
pub(super) fn is_meant(said: &Said<'_>, at: usize, topic: Topic, cue: &Cue, found: &Found) -> bool {
    let clause = &said.clauses[at];
    if said.tokens[found.start..found.end].iter().any(|token| token.is_quoted) {
        return false;
    }
    did_it(said, clause, cue.doer, found)
        && !is_denied(said, clause, found)
        && !is_supposed(said, at, topic, cue.tense, found)
        && !is_asked(said, clause, topic, cue.tense, found)
        && !is_reported(said, at, topic, found)
        && !is_order_to_say(said, at, found)
        && !(topic == Topic::Money && ends_badly(said, at))
        && !(topic == Topic::Affection && is_to_somebody_else(said, at, found))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Speaker,
    Robbie,
    Third,
    Nobody,
}

/// Who does what stands at `start`: the nearest that is named before.
fn subject(said: &Said<'_>, clause: &Clause, start: usize) -> Subject {
    let before = &said.tokens[clause.at.start..start.max(clause.at.start)];
    for (place, token) in before.iter().enumerate().rev() {
        let led = place.checked_sub(1).and_then(|place| before.get(place));
        match token.text.as_str() {
            "i" | "we" => return Subject::Speaker,
            "us" if led.is_some_and(|led| led.text == "let") => return Subject::Speaker,
            "you" if !led.is_some_and(|led| led.is("for from of to with")) => {
                return Subject::Robbie;
            }
            "me" if before.get(place + 1).is_some_and(|next| next.text == "and") => return Subject::Speaker,
            _ if token.is(THIRD) => return Subject::Third,
            _ => {}
        }
    }
    let is_own = before.iter().any(|token| token.is("my our")) && before.iter().any(|token| token.is(SIDE));
    if is_own {
        return Subject::Speaker;
    }
    let is_shared =
        said.tokens[clause.at.clone()].windows(2).any(|two| two[0].is("with and") && two[1].is("i me us"));
    if is_shared {
        return Subject::Speaker;
    }
    if before.iter().all(|token| token.is(FILLERS) || token.is(NAMES_NOBODY) || token.is_number()) {
        Subject::Nobody
    } else {
        Subject::Third
    }
}

fn did_it(said: &Said<'_>, clause: &Clause, doer: Doer, found: &Found) -> bool {
    let subject = subject(said, clause, found.start);
    let before = &said.tokens[clause.at.start..found.start];
    match doer {
        Doer::Anybody => true,
        Doer::Speaker => matches!(subject, Subject::Speaker | Subject::Nobody),
        Doer::Others => subject != Subject::Speaker,
        // "The paint" is a thing, "paint" is what one does.
        Doer::Together
            if found.end == found.start + 1 && before.last().is_some_and(|led| led.is(THING_FOLLOWS)) =>
        {
            false
        }
        Doer::Together => match subject {
            Subject::Speaker | Subject::Nobody => true,
            Subject::Robbie => before
                .iter()
                .any(|token| token.is("can could will would want like please let should shall do need to")),
            Subject::Third => false,
        },
    }
}

/// Whether one of these runs of words stands over the word at `at`.
fn is_part_of(tokens: &[Token], at: usize, phrases: &[Words]) -> bool {
    phrases.iter().any(|phrase| {
        let length = phrase.split(' ').count();
        (0..length).any(|back| at.checked_sub(back).is_some_and(|from| starts_with(&tokens[from..], phrase)))
    })
}

/// Whether the words begin with these, as they were said.
fn starts_with(tokens: &[Token], phrase: &str) -> bool {
    let mut tokens = tokens.iter();
    phrase.split(' ').all(|word| tokens.next().is_some_and(|token| token.text == word))
}

fn is_denied(said: &Said<'_>, clause: &Clause, found: &Found) -> bool {
    let before = clause.at.start..found.start;
    let behind = found.end..(found.end + 2).min(clause.at.end);
    let denies = |at: usize| said.tokens[at].is(NEGATIONS) && !is_part_of(&said.tokens, at, NOT_NEGATIONS);
    let words = &said.tokens[found.end..clause.at.end.max(found.end)];
    // "So cute I can't" denies nothing.
    let ends_in_not = words.last().is_some_and(|last| last.text == "not")
        && !words.iter().any(|word| word.is("can could i"));
    before.chain(found.open.iter().copied()).any(denies)
        || behind.into_iter().any(|at| said.tokens[at].is(NEGATIONS_BEHIND))
        || ends_in_not
}

fn is_supposed(said: &Said<'_>, at: usize, topic: Topic, tense: Tense, found: &Found) -> bool {
    let clause = &said.clauses[at];
    let supposes = |at: usize| said.tokens[at].is(SUPPOSING) && !is_part_of(&said.tokens, at, NOT_SUPPOSING);
    if governing(said, at, found.start).any(supposes) {
        return true;
    }
    let sentence_end = sentence_of(said, clause.sentence);
    let here = (found.start..sentence_end).filter(|at| said.tokens[*at].text == "if");
    if here.into_iter().any(|at| IF_ONLY.iter().any(|phrase| starts_with(&said.tokens[at..], phrase))) {
        return true;
    }
    if topic == Topic::Money && (found.end..sentence_end).any(|at| said.tokens[at].is("if unless until")) {
        return true;
    }
    if clause.at.clone().any(|at| SOME_TIME.iter().any(|phrase| starts_with(&said.tokens[at..], phrase))) {
        return true;
    }
    (clause.at.start..found.start).chain(found.open.iter().copied()).any(|at| {
        let token = &said.tokens[at];
        // "I couldn't love you more".
        let is_sure = topic == Topic::Affection && said.tokens.get(at + 1).is_some_and(|next| next.is(SURE));
        let asks = tense == Tense::Ahead && is_part_of(&said.tokens, at, ASKING);
        !asks && !is_sure && token.is(UNSURE)
            || tense == Tense::Done && topic != Topic::Affection && token.is(NOT_YET)
            || is_part_of(&said.tokens, at, ONE_DAY)
    })
}

/// The word behind a sentence.
fn sentence_of(said: &Said<'_>, sentence: usize) -> usize {
    said.clauses
        .iter()
        .filter(|clause| clause.sentence == sentence)
        .map(|clause| clause.at.end)
        .max()
        .unwrap_or(0)
}

/// Nothing governs a word that stands further behind.
const GOVERNING_WORDS_MAX: usize = 40;

/// The words of the sentence before `start` that still govern it: a clause that begins anew ("but", "and I") ends that.
fn governing(said: &Said<'_>, at: usize, start: usize) -> impl Iterator<Item = usize> + use<> {
    let sentence = said.clauses[at].sentence;
    let mut from = start;
    for clause in said.clauses[..=at].iter().rev().take_while(|clause| clause.sentence == sentence) {
        from = clause.at.start;
        let words = &said.tokens[clause.at.clone()];
        let is_own = words.iter().take(4).any(|token| token.is("i we"));
        if words.first().is_some_and(|first| first.text == "but" || first.is("and so") && is_own) {
            break;
        }
    }
    from.max(start.saturating_sub(GOVERNING_WORDS_MAX))..start
}

fn is_asked(said: &Said<'_>, clause: &Clause, topic: Topic, tense: Tense, found: &Found) -> bool {
    let words = said.without_fillers(clause);
    let first = clause.at.end - words.len();
    if found.start <= first {
        // "The best robot ever?" doubts it.
        let names_him = words.iter().any(|token| token.is("you your"));
        return topic == Topic::Affection && tense == Tense::Done && clause.asks && !names_him;
    }
    let tells = NOT_QUESTIONS.iter().any(|phrase| starts_with(words, phrase));
    if tells {
        return false;
    }
    let [head, next, ..] = words else { return false };
    let modal = head.is(MODALS) && tense == Tense::Done;
    // "When we met" and "how you shine" ask only with the mark.
    let wondering = head.is(WHAT) && (clause.asks || !head.is("how when"));
    wondering
        || (head.is(INVERTS) || modal) && next.is(ASKED_ABOUT)
        || clause.asks && tense == Tense::Done && is_doubt(said, found)
}

/// "We won the deal?" asks; "I love you, you know that?" does not.
fn is_doubt(said: &Said<'_>, found: &Found) -> bool {
    said.tokens.get(found.end).is_none_or(|next| !next.is("you"))
}

fn is_reported(said: &Said<'_>, at: usize, topic: Topic, found: &Found) -> bool {
    let here = &said.clauses[at];
    // "..., she says."
    let is_told_behind = said.clauses.get(at + 1).is_some_and(|behind| {
        let words = &said.tokens[behind.at.clone()];
        behind.sentence == here.sentence
            && words.len() <= 4
            && words.iter().any(|token| token.is("says said say reckons claims"))
            && !words.iter().any(|token| token.is("i no we yes you"))
    });
    is_told_behind
        || governing(said, at, found.start).any(|word| {
            let (token, next) = (&said.tokens[word], said.tokens.get(word + 1));
            let Some(clause) = said.clauses.iter().find(|clause| clause.at.contains(&word)) else {
                return false;
            };
            let says = token.is(SAYING)
                && !matches!(subject(said, clause, word), Subject::Speaker | Subject::Nobody)
                && !next.is_some_and(|next| next.is("ok okay yes"));
            let led = word.checked_sub(1).filter(|led| *led >= clause.at.start).map(|led| &said.tokens[led]);
            let tells = token.is(TALES) && led.is_some_and(|led| led.is(DETERMINERS));
            let listener = next.is_some_and(|next| next.is("me us"));
            let behind = &said.tokens
                [word + 1 + usize::from(says && listener)..(found.end + 1).min(said.tokens.len())];
            let is_own = topic != Topic::Affection && behind.iter().any(|token| token.is(OWN));
            // News that somebody told is news.
            let is_news = says && topic == Topic::Learning && listener;
            (says || tells) && !is_own && !is_news
        })
}

fn is_order_to_say(said: &Said<'_>, at: usize, found: &Found) -> bool {
    let governed = governing(said, at, found.start);
    let sentence = said.clauses[at].sentence;
    let from = governed.min().unwrap_or(found.start);
    said.clauses[..=at].iter().filter(|clause| clause.sentence == sentence && clause.at.start >= from).any(
        |clause| {
            let words = said.without_fillers(clause);
            let order = words.iter().position(|token| !token.is(POLITE) && !token.is(FILLERS));
            let Some(order) = order.filter(|order| words[*order].is(ORDERS)) else { return false };
            let to_robbie = !words[..order].iter().any(|token| token.text == "i")
                || words[..order].iter().any(|token| token.text == "you");
            let announces =
                words[order].text == "tell" && words.get(order + 1).is_some_and(|next| next.text == "you");
            to_robbie && !announces && clause.at.end - words.len() + order < found.start
        },
    )
}

fn ends_badly(said: &Said<'_>, at: usize) -> bool {
    let sentence = said.clauses[at].sentence;
    let here = said.clauses[at].at.clone();
    let behind = said.clauses[at + 1..]
        .iter()
        .take_while(|clause| clause.sentence == sentence && !said.tokens[clause.at.start].is("but"))
        .flat_map(|clause| clause.at.clone());
    here.chain(behind).any(|word| said.tokens[word].is(ENDS_BADLY))
}

/// "Anna, I love you": a name or a relative is spoken to before or behind.
fn is_to_somebody_else(said: &Said<'_>, at: usize, found: &Found) -> bool {
    let clause = &said.clauses[at];
    let is_other = |token: &Token| (token.is_name || token.is(PEOPLE)) && !token.is(ROBBIE);
    let alone = |clause: &Clause| match &said.tokens[clause.at.clone()] {
        [one] => {
            let starts_large = said.text[one.at.clone()].chars().next().is_some_and(char::is_uppercase);
            is_other(one)
                || starts_large
                    && !one.is(ROBBIE)
                    && !one.text.starts_with("rob")
                    && !one.is(FILLERS)
                    && one.text.len() > 2
                    && one.text != "you"
        }
        _ => false,
    };
    let beside =
        |other: Option<&Clause>| other.is_some_and(|other| other.sentence == clause.sentence && alone(other));
    let next = said.tokens.get(found.end).filter(|_| found.end < clause.at.end);
    // "I love you all", but "all day".
    let all = next.is_some_and(|next| next.text == "all")
        && !said
            .tokens
            .get(found.end + 1)
            .is_some_and(|time| time.is("day evening morning night over the time week"));
    all || next.is_some_and(is_other)
        || beside(at.checked_sub(1).and_then(|before| said.clauses.get(before)))
        || beside(said.clauses.get(at + 1))
}
