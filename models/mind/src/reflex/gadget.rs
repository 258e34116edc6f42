//! Reads clauses about lights and pictures. A clause with a word that has no place in it is about something else.

use super::meaning::Missing;
use super::number::Unit;
use super::phrase::{has, is_one_of, is_whole, longest};
use super::token::{Kind, Token};
use crate::skills::{Call, rgb};

/// What such a clause asks for.
pub(super) type Found = Result<Vec<Call>, Missing>;

const LIGHT_VERBS: &str = "\
    turn turning switch switching put set setting make making change changing have show get give flip shine glow \
    want colour paint light keep see use go let pop do flick illuminate darken extinguish douse shut kill cut \
    power activate deactivate enable disable fire bring dip become becoming going enabled hit lose stick tint \
    bathe dress";
const LIGHT_ASIDE: &str = "\
    to into in the your a with please be should it them all of me my now both up and for some back again just as \
    must are yourself hue bright like these those need , / : us yours same nice lovely pretty gorgeous shade tone of \
    full from whatever they currently little bit only here there colours everything";

/// Switches or colours the lights. `was_lights`: "it" and "them" are the lights of before.
pub(super) fn lights(tokens: &[Token], was_lights: bool) -> Option<Found> {
    if tokens.len() > 16 {
        return None;
    }
    let tokens = &tokens[longest(tokens, "from|instead of").unwrap_or(0)..];
    if let Some(on) = switched(tokens) {
        return Some(Ok(vec![Call::Lights { on: Some(on), color: None }]));
    }
    let color_word = has(tokens, "colour");
    let glows = has(tokens, "glow shine") || longest(tokens, "light up").is_some();
    let it = was_lights && has(tokens, "it them");
    let noun_count = tokens.iter().filter(|token| token.is_any("light lights")).count();
    let noun = noun_count > 0
        || longest(tokens, "change|set|switch|make your|the? colour; colour").is_some()
        || glows
        || it;
    if !noun {
        return None;
    }
    let (mut on, mut color, mut has_verb, mut is_effect) = (None, None::<String>, false, false);
    let mut at = 0;
    while at < tokens.len() {
        if let Some((length, name)) = color_at(&tokens[at..], noun_count) {
            if color.is_some() {
                return Some(Err(Missing::Light));
            }
            color = Some(name);
            at += length;
            continue;
        }
        let token = &tokens[at];
        // "Pink like a unicorn" says how pink.
        if color.is_some() && token.is("like") && tokens.len() - at <= 5 {
            break;
        }
        match token.text.as_str() {
            "on" if on.is_none() => on = Some(true),
            "off" | "out" | "darken" | "extinguish" | "douse" | "kill" | "deactivate" | "disable"
            | "lose"
                if on.is_none() =>
            {
                on = Some(false)
            }
            "illuminate" | "activate" | "enable" if on.is_none() => on = Some(true),
            "light" | "lights" | "colour" => {}
            "nicer" | "prettier" | "softer" | "warmer" | "cooler" | "stronger" | "lower" | "brighter"
            | "dim" | "darker" | "blink" | "flash" | "different" | "another" | "brighten" | "blinking"
            | "dimmer" | "pulse" | "rainbow" | "fade" => is_effect = true,
            word if is_one_of(word, LIGHT_VERBS) => has_verb = true,
            word if is_one_of(word, LIGHT_ASIDE) => {}
            _ => return None,
        }
        at += 1;
    }
    match (on, color) {
        // "Change them", after the colour was said.
        (None, None) if it && noun_count == 0 => Some(Ok(Vec::new())),
        (None, None) if has_verb || color_word || is_effect => Some(Err(Missing::Light)),
        // "Nice lights" asks nothing.
        (None, None) if has(tokens, "nice lovely pretty gorgeous same bright like these those") => None,
        (None, None) => Some(Ok(vec![Call::Status])),
        _ if is_effect => Some(Err(Missing::Light)),
        (Some(false), Some(_)) => Some(Err(Missing::Light)),
        // "Green light" is said of much else.
        (None, Some(_))
            if tokens.len() == 2 && tokens[1].is("light") && tokens[1].to - tokens[1].from == 5 =>
        {
            Some(Err(Missing::Light))
        }
        (on, color) => Some(Ok(vec![Call::Lights { on, color }])),
    }
}

/// Phrases that switch the lights without "on" or "off".
fn switched(tokens: &[Token]) -> Option<bool> {
    const OFF: &str = "lights out; kill|cut|douse the|your|all? light|lights; no more? light|lights";
    const ON: &str = "\
        let there be light|lights; light up; light|illuminate yourself|up; light yourself up; light up yourself; light it up";
    if is_whole(tokens, OFF) {
        return Some(false);
    }
    is_whole(tokens, ON).then_some(true)
}

/// The name of a colour at the beginning, up to three words; "light" is the noun where it is the only one.
fn color_at(tokens: &[Token], noun_count: usize) -> Option<(usize, String)> {
    let length = (1..=3.min(tokens.len())).rev().find(|&length| {
        let name = joined(&tokens[..length]);
        let starts_as_noun = tokens[0].is("light") && noun_count < 2;
        !starts_as_noun && tokens[..length].iter().all(Token::is_word) && rgb(&name).is_some()
    })?;
    Some((length, joined(&tokens[..length])))
}

fn joined(tokens: &[Token]) -> String {
    tokens.iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// A colour alone, which corrects or answers.
pub(super) fn color(tokens: &[Token]) -> Option<String> {
    let tokens = &tokens[longest(tokens, "in|to|with; make it|them").unwrap_or(0)..];
    let (length, name) = color_at(tokens, 2)?;
    (length == tokens.len()).then_some(name)
}

const PICTURE_VERBS: &str = "\
    take|taking|took|snap|snapping|snapped|shoot|shooting|make|making|get|getting|grab|grabbing|capture|capturing|click|do|have|taken|use|want|need|pop|fire|bag|nab|give \
    me|us?; we|i have|get|want";

/// Takes pictures: how many. What is wished needs no verb.
pub(super) fn picture(tokens: &[Token], is_wished: bool) -> Option<usize> {
    if is_whole(tokens, "get|got the|my? picture")
        || longest(tokens, "take? a|the picture of health").is_some()
    {
        return None;
    }
    if is_whole(
        tokens,
        "photograph me|us|this|that|it|them|him|her; photograph the|my|our moment|view|cake|room|group|kids|cat|dog; capture this|that|it|us|me; capture this|that|the moment|scene|view; say cheese for the camera",
    ) {
        return Some(1);
    }
    let verb = longest(tokens, PICTURE_VERBS).unwrap_or(0);
    let mut at = verb;
    let mut count = 1;
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Number(value) if (1.0..=10.0).contains(&value) && value.fract() == 0.0 => {
                count = (1..=10).take_while(|count| f64::from(*count) <= value).count();
            }
            _ if token
                .is_any("\
                     me us a an another the some quick nice new more any good your our my little group family \
                     lovely pretty great wide beautiful cute close panoramic funny big proper fresh single") => {}
            _ => break,
        }
        at += 1;
    }
    let noun = tokens.get(at).filter(|token| {
        token.is_any(
            "\
            photo picture selfie snapshot snap shot image photograph selfies snapshots photographs",
        )
    })?;
    let mut rest = &tokens[at + 1..];
    while let Some((_, more)) =
        rest.split_first().filter(|(first, _)| first.is_any("please quick quickly now robbie time"))
    {
        rest = more;
    }
    let is_shot = noun.is_any("shot image snap");
    if let Some(Kind::Amount(amount)) = rest.last().map(|token| token.kind)
        && amount.unit == Unit::Times
        && rest.len() == 1
        && (1.0..=10.0).contains(&amount.value)
    {
        return Some((1..=10).take_while(|count| f64::from(*count) <= amount.value).count());
    }
    let is_get = tokens[0].is("get") && !rest.is_empty();
    let ends = rest.is_empty()
        || (!is_get
            || longest(rest, "with|for|together; of this|that|it|me|us|them|my|our|the|him|her|these|those")
                .is_some())
            && (longest(rest, "of me|us|this|that|him|her|them|my|our|it").is_some() && !noun.is("image")
                || (verb > 0 || is_wished)
                    && rest[0].is_any("of from with for now here together quick quickly fast"));
    ((verb > 0 || !is_shot) && ends && !has(rest, "when every if")).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::super::number::fold;
    use super::super::spell::spell;
    use super::super::token::tokens;
    use super::*;

    fn read(text: &str) -> Vec<Token> {
        fold(spell(tokens(text)))
    }

    fn check_lights(text: &str, on: Option<bool>, color: Option<&str>) {
        let expected = vec![Call::Lights { on, color: color.map(str::to_owned) }];
        assert_eq!(lights(&read(text), false), Some(Ok(expected)), "{text}");
    }

    #[test]
    fn lights_are_switched_and_coloured() {
        check_lights("lights on", Some(true), None);
        check_lights("turn the lights on in blue", Some(true), Some("blue"));
        check_lights("make the light blue", None, Some("blue"));
        check_lights("make the lights light blue", None, Some("light blue"));
        check_lights("change the led colour to #ff8800", None, Some("#ff8800"));
        check_lights("warm white lights", None, Some("warm white"));
        check_lights("glow purple", None, Some("purple"));
        check_lights("kill the lights", Some(false), None);
        assert_eq!(lights(&read("turn on the kitchen lights"), false), None);
        assert_eq!(lights(&read("light up my life"), false), None);
        assert_eq!(lights(&read("make it red"), false), None);
        assert_eq!(lights(&read("lights"), false), Some(Ok(vec![Call::Status])));
        assert_eq!(lights(&read("lights red and blue"), false), Some(Err(Missing::Light)));
    }

    #[test]
    fn pictures_are_taken_of_anything() {
        assert_eq!(picture(&read("take a photo"), false), Some(1));
        assert_eq!(picture(&read("snap a selfie with us"), false), Some(1));
        assert_eq!(picture(&read("take two photos"), false), Some(2));
        assert_eq!(picture(&read("photo"), false), Some(1));
        assert_eq!(picture(&read("take a shot in the dark"), false), None);
        assert_eq!(picture(&read("take a picture frame"), false), None);
        assert_eq!(picture(&read("the picture"), false), Some(1));
    }
}
