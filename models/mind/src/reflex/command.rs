//! Reads a clause as one of the commands, whichever has a place for every word of it.

use super::frame::Frame;
use super::gadget;
use super::meaning::{Missing, Outside};
use super::moods;
use super::motion;
use super::opener::Asked;
use super::outside::{harms, refused};
use super::phrase::{has, is_whole, longest};
use super::statement::{Mode, mode};
use super::talk::{self, Topic};
use super::token::{Kind, Token};
use crate::skills::Call;

/// What a clause orders.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Command {
    Motion(Frame),
    Calls(Vec<Call>),
    /// A colour alone.
    Color(String),
    Ask(Missing),
    Refuse(Outside),
    Stop,
    /// Something that stops, but not the body.
    NotBody,
}

/// The command of a clause without its politeness, if it is one.
pub(super) fn command(body: &[Token], asked: Asked, was_lights: bool) -> Option<Command> {
    if body.is_empty() || body.iter().any(|token| token.kind == Kind::Quote || token.is("{")) {
        return None;
    }
    if let Some(stop) = stop(body) {
        return Some(stop);
    }
    let lead = wish(body);
    let mode = mode(body, asked);
    if lead.is_none() && matches!(mode, Mode::Negated | Mode::Reported | Mode::Hypothetical | Mode::Text) {
        return None;
    }
    const ASKS: &str = "\
        is are am was were what what's why who who's when where where's which how how's does did has whose \
        isn't aren't";
    if body[0].is_any(ASKS) && talk::named(body).is_none() {
        return None;
    }
    if let Some(found) = moods::mood(body, asked.by_request || asked.by_gerund) {
        return Some(found.map_or_else(Command::Ask, |mood| Command::Calls(vec![Call::SetMood { mood }])));
    }
    // "I turned the lights off" tells, "I'd like your lights green" asks.
    let is_told = mode == Mode::Statement
        && lead.is_none()
        && longest(body, "the|your|all|my light|lights should|must|can be").is_none();
    if is_told && longest(body, "all the way|lights|light|your").is_none() {
        return None;
    }
    let body = lead.map_or(body, |length| &body[length..]);
    if body.is_empty() {
        return None;
    }
    if let Some(found) = gadget::lights(body, was_lights) {
        return Some(found.map_or_else(Command::Ask, Command::Calls));
    }
    if let Some(count) = gadget::picture(body, lead.is_some()).filter(|_| !asks_ability(body, asked)) {
        return Some(Command::Calls(vec![Call::TakePicture; count]));
    }
    if harms(body) || refused(body).is_some() {
        return refused(body).or(Some(Outside::Harm)).map(Command::Refuse);
    }
    if let Some(missing) = beyond_measure(body) {
        return Some(Command::Ask(missing));
    }
    if let Some(topic) = talk::named(body) {
        return match topic {
            Topic::Battery => Some(Command::Calls(vec![Call::Battery])),
            _ => Some(Command::Calls(vec![Call::Status])),
        };
    }
    if let Some(color) = gadget::color(body) {
        return Some(Command::Color(color));
    }
    let frame = motion::frame(body)?;
    (!is_bare_ability(&frame, asked) && !is_idiom(body)).then_some(Command::Motion(frame))
}

/// "I'd like", "can I have": what follows is what the speaker wants. "I want to go" is about the speaker.
fn wish(body: &[Token]) -> Option<usize> {
    longest(
        body,
        "\
            i'd|we'd|i fancy|adore|dig|appreciate to have|see; i'd|we'd|i fancy|adore|dig|appreciate; \
            i'd|we'd like|love|want|prefer to have|see; i'd|we'd like|love|want|prefer have|see?; \
            i|we want|need|prefer|like to have|see; i|we want|need|prefer|like have|see?; \
            i would like|love|prefer to have|see; i would like|love|prefer have|see?; \
            can|could|may|might i|we please? just? have|get|see; we can have",
    )
    .filter(|length| !body.get(*length).is_some_and(|next| next.is("to") || super::verb::is_bent(&next.text)))
}

/// Motions whose measure nobody can know: after somebody, or to face something.
fn beyond_measure(body: &[Token]) -> Option<Missing> {
    const NO_BODIES: &str = "\
        instructions rules recipe link links news money law laws steps plan advice path thread example lead";
    let follows = is_whole(body, "follow me|him|her|us|them|it; follow the line|cat|dog|ball")
        || (body.len() == 2 && body[0].is("follow") && body[1].kind == Kind::Name)
        || (longest(body, "follow the|that|this|my|our|his|her").is_some()
            && body.len() <= 4
            && !has(body, NO_BODIES));
    if follows {
        return Some(Missing::Place);
    }
    is_whole(
        body,
        "\
            face me|us|left|right|north|south|east|west|him|her; face the? wall|door|window; face the \
            other|opposite way|direction|side; take a few steps; catch|meet me",
    )
    .then_some(Missing::Side)
}

/// "Can you drive?" asks what Robbie can do.
fn is_bare_ability(frame: &Frame, asked: Asked) -> bool {
    asked.by_ability
        && frame.way.is_none()
        && frame.much.is_none()
        && frame.asks.is_none()
        && frame.speed.is_none()
        && !frame.is_vague
}

/// "Can you take pictures?"
fn asks_ability(body: &[Token], asked: Asked) -> bool {
    asked.by_ability && !has(body, "a an another one 0 the this me us now my of")
}

/// What people say without meaning the wheels.
fn is_idiom(body: &[Token]) -> bool {
    is_whole(
        body,
        "\
            go; go go go?; ahead; go around; turn turn?; back; front; do it; take it easy; have it; get it; \
            move on|it; go it; way; go all the? way; make it; keep going; look it; come; take it slow",
    ) && !is_whole(body, "turn")
        && !is_whole(body, "keep going")
}

/// "Stop" addressed to the body.
fn stop(body: &[Token]) -> Option<Command> {
    const HEADS: &str = "\
        stop; halt; freeze; whoa; hold it; emergency brake|halt|stopp; hold still; stay|stand still; \
        keep|remain|be still; e-stop; press|hit|push|trigger|activate|engage|pull|do|make|perform|use \
        the|an|your? e-stop; stopping; brake; full stopover; stay|remain where you are; stay right? there; stop \
        right there; cease; stay put; come to a full|complete? stop|halt|stopover; make a full|complete? \
        stop|halt|stopover; do a stop|halt; don't move a muscle; quit \
        moving|driving|turning|going|spinning|rolling|rotating; hit|slam|apply|use|step|stand|jam on? the|your? \
        brakes|brake; hold position|steady; hold your position; abort; desist; all stop; cut|kill the|your \
        engine|engines; stand by where you are; put the brakes on; slam on the brakes; hold up now";
    let length = longest(body, HEADS)?;
    let rest = &body[length..];
    const TAILS: &str = "\
        moving|turning|driving|going|spinning|rolling|rotating|motion|movement|reversing|backing up|off?; hold \
        it; mission; there|here|now|it? boy|girl|nelly|horsey|tiger|cowboy|mister|missy|fella|young|man; you'll; \
        the? mission|movement|everything; and desist; \
        it|that|this|there|here|now|immediately|already|everything|all|yourself|robbie|robot|please|instantly|dead|stop|halt|whoa|freeze|man|buddy|then|ok|again|still|stopping|and; \
        right there|here|now|away; right; at once; where you are; what you're|you are doing; doing that|this|it; \
        your motors|wheels|engines|body|movement|motion|motors|head; all motion|movement|motors|movements; the \
        motors|wheels|motion|movement|robot; for god's sake; in your tracks; you; button; for a? \
        0|second|sec|moment|minute|bit|while; the car|robot|drive; as fast as you can; dead; me now; everything \
        you're doing; on the spot; yes; no; i said|beg|say|mean|repeat; e-stop; hey; oh; quickly|quick|asap; \
        just; what you do; around; completely|entirely|bitte";
    let mut at = 0;
    while at < rest.len() {
        // "Stop you are about to hit the wall": what follows says why.
        let why = rest[at].is_any(
            "\
            you're you'll you've there's it's i'm we're he's she's they're watch careful danger or before",
        ) || longest(
            &rest[at..],
            "\
                you are|will|might|almost|nearly|have|hit|must|should|stop|just; there is|are; i \
                am|can|don't|need|see|want|said|told; the cat|dog|baby|kid|child|wall|stairs|table is?; that \
                is|hurts",
        )
        .is_some();
        let has_verb = rest.len() > at + 1;
        if why && has_verb {
            return Some(Command::Stop);
        }
        match longest(&rest[at..], TAILS) {
            Some(taken) => at += taken,
            // "Stop it now you idiot" is meant, whatever the rest is.
            None if rest[0].is_any("it now there here moving immediately robbie please") => {
                return Some(Command::Stop);
            }
            None if body[0].is_any("stop stopping cease") => return Some(Command::NotBody),
            None => return None,
        }
    }
    let is_only_noun = body[0].is_any("brake stopping") && body.len() > 1;
    (!is_only_noun).then_some(Command::Stop)
}
