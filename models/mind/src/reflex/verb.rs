//! The verbs of motion by their class, in every form in which they order: "turn", "turning" behind "mind", "turned" behind
//! "I'd be glad if you". It reads no clause.

use super::frame::Verb;
use super::phrase::is_one_of;

const GO: &str = "\
    go drive move roll come walk travel proceed step scoot creep crawl ride run shift march slide nudge wheel \
    scooch skooch edge strafe fly jump climb sidestep glide trundle budge inch pull amble ease shuffle cruise \
    toddle saunter stroll mosey waddle scuttle trot pop nip hop press push carry venture displace trek \
    motor advance reverse retreat backtrack withdraw progress dash sprint race zoom rush speed zip bolt slip \
    hurry continue";
const TURN: &str = "\
    turn rotate spin pivot swivel veer steer twirl twist swing whirl revolve pirouette yaw orient circle bear \
    swerve swirl rotation";
/// Verbs that say nothing without their noun: "make a turn".
pub(super) const LIGHT: &str = "\
    make do take give have perform get making doing taking execute hang complete made did took gave having pull \
    bang carry";
const LOOK: &str = "look glance gaze peek tilt pan peer peep stare gander squint";

/// Verbs that mean driving only with a direction or a measure: "carry on" and "press it" are something else.
const WEAK: &str = "\
    pull ease pop nip hop press push carry inch slip venture displace circle bear swing twist race rush speed \
    zip bolt sprint zoom stare hurry continue progress orient step";
/// Verbs that ask for more speed than a chat may have.
const FAST: &str = "dash sprint race zoom rush speed zip bolt hurry";
/// Verbs that move in a way that wheels do not.
const NO_WHEELS: &str = "strafe fly jump climb sidestep hop";

const IRREGULAR: &[(&str, &str)] = &[
    ("went", "go"),
    ("drove", "drive"),
    ("came", "come"),
    ("ran", "run"),
    ("rode", "ride"),
    ("spun", "spin"),
    ("swung", "swing"),
    ("crept", "creep"),
    ("slid", "slide"),
    ("flew", "fly"),
];

/// A verb of motion as it was said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Motion {
    pub verb: Verb,
    pub is_weak: bool,
    pub is_fast: bool,
    pub has_no_wheels: bool,
}

/// The verb of motion that a word is a form of.
pub(super) fn motion(word: &str) -> Option<Motion> {
    let lemma = lemma(word, &|word| class(word).is_some())?;
    Some(Motion {
        verb: class(&lemma)?,
        is_weak: is_one_of(&lemma, WEAK),
        is_fast: is_one_of(&lemma, FAST),
        has_no_wheels: is_one_of(&lemma, NO_WHEELS),
    })
}

/// Whether a word is a form that orders only behind other words: "turning", "rotated".
pub(super) fn is_bent(word: &str) -> bool {
    const OTHER: &str = "\
        back take make do say set switch snap remember put shoot get stop give show use click grab lower raise \
        cast bring light colour glow";
    const IRREGULAR_OTHER: &str = "took made said gave shot shone got";
    let is_known = |word: &str| class(word).is_some() || is_one_of(word, OTHER);
    (word.ends_with("ing") || word.ends_with("ed") || IRREGULAR.iter().any(|(form, _)| *form == word))
        && !is_known(word)
        && lemma(word, &is_known).is_some()
        || is_one_of(word, IRREGULAR_OTHER)
}

fn class(word: &str) -> Option<Verb> {
    if is_one_of(word, GO) {
        Some(Verb::Go)
    } else if is_one_of(word, TURN) {
        Some(Verb::Turn)
    } else if is_one_of(word, LOOK) {
        Some(Verb::Look)
    } else {
        None
    }
}

/// The plain form of a word, where that is known.
fn lemma(word: &str, is_known: &dyn Fn(&str) -> bool) -> Option<String> {
    if is_known(word) {
        return Some(word.to_owned());
    }
    if let Some((_, plain)) = IRREGULAR.iter().find(|(form, _)| *form == word) {
        return Some((*plain).to_owned());
    }
    let stem = word.strip_suffix("ing").or_else(|| word.strip_suffix("ed"))?;
    let mut letters = stem.chars().rev();
    let is_doubled = letters.next().is_some_and(|last| letters.next() == Some(last));
    let single = stem.char_indices().next_back().map_or("", |(at, _)| &stem[..at]);
    let whole = format!("{stem}e");
    [stem, whole.as_str(), if is_doubled { single } else { stem }]
        .into_iter()
        .find(|plain| is_known(plain))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, verb: Option<Verb>) {
        assert_eq!(motion(word).map(|motion| motion.verb), verb, "{word}");
    }

    #[test]
    fn forms_are_their_verb() {
        check("drove", Some(Verb::Go));
        check("moving", Some(Verb::Go));
        check("rotated", Some(Verb::Turn));
        check("spinning", Some(Verb::Turn));
        check("pivoting", Some(Verb::Turn));
        check("peeked", Some(Verb::Look));
        check("thing", None);
        check("red", None);
        check("é", None);
    }

    #[test]
    fn bent_forms_are_told_from_plain_ones() {
        assert!(is_bent("turning") && is_bent("switched") && is_bent("went") && is_bent("took"));
        assert!(!is_bent("turn") && !is_bent("swing") && !is_bent("speed") && !is_bent("red"));
    }
}
