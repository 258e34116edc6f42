//! Reads clauses that order a mood. A clause with a word that has no place in it is about something else.

use cloud_sync_protocol::persona::Mood;

use super::meaning::Missing;
use super::phrase::{is_whole, longest};
use super::token::{Kind, Token};

/// The mood that a word means.
fn mood_of(word: &str) -> Option<Mood> {
    Some(match word {
        "friendly" | "nice" | "kind" | "happy" | "cheerful" | "warm" | "friendlier" | "nicer" | "sweet"
        | "gentle" | "happier" | "kinder" | "jolly" | "cheery" | "polite" | "welcoming" | "merry"
        | "sunny" => Mood::Friendly,
        "serious" | "focused" | "focussed" | "focus" | "concentrated" | "professional" | "attentive"
        | "businesslike" | "concentrate" => Mood::Focused,
        "playful" | "silly" | "funny" | "goofy" | "fun" | "play" | "cheeky" | "mischievous" | "playfully"
        | "jokey" => Mood::Playful,
        "bossy" | "strict" | "assertive" | "boss" | "bossier" | "commanding" | "stern" | "authoritative" => {
            Mood::Bossy
        }
        "surprised" | "amazed" | "astonished" | "surprise" | "shocked" | "startled" => Mood::Surprised,
        "blushing" | "blush" | "shy" | "flirty" | "flirtatious" | "bashful" => Mood::Blushing,
        _ => return None,
    })
}

/// Orders of a mood without its name.
const IDIOMS: &[(&str, Mood)] = &[
    ("cheer up; smile; lighten up; perk up; turn that frown upside down", Mood::Friendly),
    (
        "focus; concentrate; get down to business; focus on work|this|me|it|your? task?; knuckle down; buckle down; get your head in the game; stay on task",
        Mood::Focused,
    ),
    (
        "loosen up; let your hair down; have some fun; play the fool|clown; joke around; fool around",
        Mood::Playful,
    ),
    ("boss me|us|them around|about; take charge; be the|a boss; play the? boss", Mood::Bossy),
    ("blush; blush for me|us; blush again; go red in the face; start blushing", Mood::Blushing),
];

const MOOD_VERBS: &str = "\
    be in? a|the?; be more|very|really|a bit|little? more?; be all|being; get; become; act; act all; act like|as \
    if? you're; act like|as if? you are|were; go; \
    go|get|switch|change|come|flip|slip|shift|drop|return|snap|move over|back|in|into|to|on|towards? to? \
    a|the|your?; switch; turn; change|set|switch|put|shift|turn your|the? mood to|into|on; put yourself in|into \
    a?; get yourself? in|into a?; feel; being; set yourself to; go|come back to being; return to being; go back \
    to; enter; you be; stay; remain; keep; use; activate; enable; change your mood into|to; put on|in \
    your|a|the?; show me|us your|a|the?; i want|need|prefer|like a|the|my? you? to? be?; let me see you in? a?; \
    turn on the|your?; start; return to your|a?; look; play; pretend to be; try being|to be; try; give me|us \
    your|a|some; make|do a|the?; your mood shall|should|must|will be; mood|mode :? is?; show \
    the|my|our|them|him|her|everyone kids|children|guests|visitors|class|people|family? your;  now be; let's be|get; do your|a; i want|need to see your|a; bring back the|your?; more; make yourself; \
    behave; sound; seem; appear; adopt a|the|your; in; you make|do; please be";

const AFTER: &str = "\
    mode|mood|side|face|self|attitude|vibe|spirit|tone|manner|version|robbie please?; mode|mood|side|face|self \
    now|again|back|today|tonight|please; again; back; now; today|tonight; robot|bot; robbie back?; enough; \
    instead; for a change|bit|while; for the next? hour|day|evening|minute; for the rest of the day|evening; \
    and|, concentrated|attentive|kind|nice|happy|silly|goofy|funny; mode|mood? with|to|for|towards|around|on \
    me|us|the|him|her|them|everyone|everybody|my|our? \
    kids|guests|others|people|family|visitors|children|friends|customers|mum|mom|dad|grandma|baby|cat|dog?; \
    on|to|with|for? me|us; side of yours; a little|bit";

/// Whether a word names a mood.
pub(super) fn is_mood(word: &Token) -> bool {
    mood_of(&word.text).is_some()
}

/// Changes the mood. What is wished of Robbie needs no verb: "I need you serious".
pub(super) fn mood(tokens: &[Token], is_wished: bool) -> Option<Result<Mood, Missing>> {
    let trimmed = &tokens[..tokens.len() - trailing(tokens)];
    if let Some((_, mood)) =
        IDIOMS.iter().find(|(phrases, _)| is_whole(tokens, phrases) || is_whole(trimmed, phrases))
    {
        return Some(Ok(*mood));
    }
    if is_whole(tokens, "change|switch|set your|the? mood; be in another|different mood") {
        return Some(Err(Missing::Mood));
    }
    let verb = longest(tokens, MOOD_VERBS);
    let rest = &tokens[verb.unwrap_or(0)..];
    let rest = &rest[longest(
        rest,
        "a bit|little|touch|tad more?; more|very|super|so|extra|all|total|maximum|full|quite|too|just; nice and; a|the|your; back? to",
    )
    .unwrap_or(0)..];
    let first = rest.first().filter(|token| token.is_word())?;
    let after = &rest[1..];
    // "Friendly, please" orders nothing, "friendly mode" does.
    let named = mood_of(&first.text).filter(|_| {
        verb.is_some() || is_wished || after.first().is_some_and(|next| next.is_any("mode mood"))
    });
    // "Get fun", "turn blush", "go nice" are no orders for a mood.
    const PLAIN: &str = "\
        turn go switch use enter get activate start try keep show in more play look sound do give i you put";
    let is_plain = verb.is_none() || tokens[0].is_any(PLAIN);
    let is_named = |token: &Token| {
        Mood::named(&token.text).is_some()
            || token.is_any("happier friendlier nicer cheerful happy serious silly goofy focus concentrated astonished amazed shy bossier")
    };
    if tokens[0].is("i") && after.is_empty() {
        return None;
    }
    match named {
        Some(mood)
            if (after.is_empty() || is_whole(after, AFTER))
                && (!is_plain
                    || is_named(first)
                    || after.first().is_some_and(|next| next.is_any("mode mood"))) =>
        {
            Some(Ok(mood))
        }
        Some(_) => None,
        None if verb == Some(1)
            && tokens[0].is("be")
            && tokens.len() == 2
            && first.kind == Kind::Word
            && !first.is_any(UNMOODED)
            && !first.text.ends_with("ing") =>
        {
            Some(Err(Missing::Mood))
        }
        None => None,
    }
}

/// How many tokens at the end only say when or how much.
fn trailing(tokens: &[Token]) -> usize {
    (1..tokens.len())
        .find(|&at| {
            is_whole(
                &tokens[at..],
                "a little|bit; for the next? hour|day|evening; for a while|bit|change; now",
            )
        })
        .map_or(0, |at| tokens.len() - at)
}

const UNMOODED: &str = "\
    quiet careful patient honest right back there here quick safe still silent ready good brave strong real \
    reasonable yourself mine off gone aware fair warned prepared on it seated certain sure creative specific \
    brief me him her nothing sensible serious-minded fine ok well great smart useful helpful precise";

#[cfg(test)]
mod tests {
    use super::super::number::fold;
    use super::super::spell::spell;
    use super::super::token::tokens;
    use super::*;

    fn read(text: &str) -> Vec<Token> {
        fold(spell(tokens(text)))
    }

    #[test]
    fn moods_are_ordered_by_name_or_sense() {
        assert_eq!(mood(&read("be playful"), false), Some(Ok(Mood::Playful)));
        assert_eq!(mood(&read("go into bossy mode"), false), Some(Ok(Mood::Bossy)));
        assert_eq!(mood(&read("get serious"), false), Some(Ok(Mood::Focused)));
        assert_eq!(mood(&read("be purple"), false), Some(Err(Missing::Mood)));
        assert_eq!(mood(&read("be quiet"), false), None);
        assert_eq!(mood(&read("go green"), false), None);
        assert_eq!(mood(&read("switch back to friendly"), false), Some(Ok(Mood::Friendly)));
        assert_eq!(mood(&read("show me your blushing side"), false), Some(Ok(Mood::Blushing)));
        assert_eq!(mood(&read("be friendly with the visitors"), false), Some(Ok(Mood::Friendly)));
        assert_eq!(mood(&read("play nice music"), false), None);
    }
}
