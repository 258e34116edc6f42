//! Finds where the words begin that are to be spoken or kept, and cuts them out of the message. What stands in them is never a
//! command.

use super::phrase::{is_whole, longest};
use super::token::Token;

/// What becomes of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taker {
    Say,
    Remember,
    /// "Remember to", "remind me to": all that follows is to be done later, by somebody else.
    RememberTo,
}

/// What takes words, and how many tokens that is.
pub(super) fn taker(tokens: &[Token]) -> Option<(Taker, usize)> {
    let first = tokens.first()?;
    if first.is_any("say saying announce repeat") {
        let length = longest(
            tokens,
            "\
                say|saying; say out? loud|aloud|loudly; say it out? loud|aloud; say the \
                words|following|sentence|phrase; say this|these words?; announce to? everyone|everybody|all? \
                that?; repeat after me; repeat the words|following|sentence",
        )?;
        return Some((Taker::Say, length));
    }
    let speaks = longest(
        tokens,
        "\
         speak|utter|pronounce|recite|read these|the|this|those following? words|sentence|line|phrase|text \
         aloud?; speak the following; shout|yell|whisper|exclaim|utter out|loudly|softly?",
    );
    if let Some(length) = speaks
        && !tokens.get(length).is_some_and(|next| next.is_any("at to less louder for down from it that"))
        && !(tokens.len() == length && tokens[0].is_any("shout yell whisper exclaim utter"))
    {
        return Some((Taker::Say, length));
    }
    // "Remember me to her" greets somebody.
    if longest(tokens, "remember me to").is_some() {
        return None;
    }
    const TO: &str = "\
        remember to; remind me to; don't forget to; don't let me forget to; remind us to; never forget to; \
        make a note to; note to self to?; make sure to remember to; set|create|make|add a reminder to; not \
        forget to";
    if let Some(length) = longest(tokens, TO) {
        return Some((Taker::RememberTo, length));
    }
    const KEEP: &str = "\
        remember that; remember the fact that; remember; note down? that?; make|take|add|keep a note \
        that|of|about?; make a mental note that|of?; take note that|of?; don't forget that|about?; not forget \
        that?; never forget that; keep|bear in mind that?; write|jot|put this|that|it? down that?; write|jot \
        down that?; for the record; for your information remember; remind me that|about|of?; remind us \
        that|about?; memorise|memorize that?; make a reminder that|about|for?; don't let me forget that?; keep \
        track of|that; take down that; please? save|store|record|register that; make sure you|to remember that?; \
        save a note that?; store the note that?; log that; remembering that?";
    let length = longest(tokens, KEEP)?;
    // "Write down", "note": "write it down".
    Some((Taker::Remember, length))
}

/// Whether these are no words but a pointer to some: "say something", "remember this".
pub(super) fn is_pointer(tokens: &[Token]) -> bool {
    tokens.is_empty()
        || is_whole(
            tokens,
            "something|anything|it|that|this|what|these|those|them; \
             this|that one|thing; \
             something nice|funny|else|sweet|smart|new|cool|interesting|clever|important|kind|good; \
             something|anything|it|this|that for|to me|us|him|her|them|later|everyone; \
             something in to|for; for me|us|later; \
             that|it|this|these again|louder|slower|slowly|quieter|clearly|down|somewhere; a|some few? words|thing|things|joke|story",
        )
}

/// The words of a stretch of the message, without what surrounds them.
pub(super) fn cut_out(text: &str) -> &str {
    let mut text = text.trim();
    loop {
        let before = text;
        text = text.trim_matches(|letter: char| {
            letter.is_whitespace() || matches!(letter, ',' | ':' | ';' | '-' | '–' | '—')
        });
        for tail in ["please", "pls", "robbie", "plz"] {
            let cut = text.len().checked_sub(tail.len()).filter(|cut| text.is_char_boundary(*cut));
            if let Some(cut) = cut
                && text[cut..].eq_ignore_ascii_case(tail)
                && text[..cut].ends_with([' ', ','])
                && text[..cut].trim().contains(' ')
            {
                text = &text[..cut];
            }
        }
        if text == before {
            return text;
        }
    }
}
