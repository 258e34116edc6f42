//! The words of a motion beside verb, direction and measure: how fast, how exactly, where to, and fillers.

use super::Reader;
use crate::reflex::frame::{Verb, Way};
use crate::reflex::meaning::Missing;
use crate::reflex::phrase::{has, is_one_of, longest, match_at};

/// Words that change nothing inside a motion.
const ASIDE: &str = "\
    please kindly along onwards forth altogether thereabouts gentle gradually calmly lightly patiently ever wee \
    extra additional chassis axis displacement big huge giant proper lovely neat cool single now then slowly \
    gently carefully slow slower softly exactly precisely approximately roughly about just only yourself body \
    another more direction hand degree again really nicely steadily smoothly quietly first also robbie robot \
    approx maybe cautiously nice straight angle distance small tiny bit little some slightly easy whole okay \
    further farther simply directly kindly";

/// Places and shapes whose way nobody measured.
const PLACES: &str = "\
    to? where you were|started|began; to where you came from; over? here|there; here; there; home; away; \
    outside; inside; sideways; north|south|east|west; closer; nearer; over; after me|him|her|us|them; upstairs; \
    downstairs; diagonally; somewhere; with me|us; in a? square|circle|circles|triangle|zigzag|loop|line; a? \
    zigzag; by yourself; aside; this|that|my|our way; to the? side|base|start|dock|charger; a? \
    short|little|long|fair|good|small|tiny distance|way|while|stretch; a? stone's throw; boy|girl|baby; along; \
    everywhere; closer|nearer|over|up|back|on to me|us|him|her|them; to one side; out of the way; out of my|the \
    way|here; as far as you can; all the way; halfway|midway; to and fro; in front of me|us; beside|behind|near \
    me|us; to your|my|the? place|spot|corner|base|dock|station|position|seat; a stop|few";

/// Where prepositions lead to a place.
const TO_PLACE: &str = "to towards toward into near behind next past through along beside under";

/// Where nobody drives a robot to: "go to sleep".
const NO_PLACE: &str = "\
    sleep bed hell work school town war heaven church university college rest dust pieces movies cinema \
    shopping point bathroom toilet website page settings mall life future past city court jail prison moon \
    mars trouble account debt waste conclusion conclusions trip vacation holiday party concert gym doctor \
    dentist shop store supermarket beach next you your frog leaf monster that";

/// Faster than a chat may.
const FAST: &str = "\
    at full|top|max|maximum|high speed|throttle|pace; as fast|quickly|quick as you? can|possible|able?; as fast \
    as you possibly can; full|max|maximum|top speed|throttle|power; faster; really|very? fast; fast; rapidly; \
    quickly; quick; really|very? quickly; at lightning speed; in a hurry";

/// How, in words that change nothing.
const MANNER: &str = "\
    at|with a? slow|low|normal|gentle|walking speed|pace; very slowly|gently|carefully|slow; on the spot; in \
    place; your way|body|self|chassis|robot; your whole|entire body; the \
    unit|robot|base|chassis|machine|vehicle|platform|rover|body|bot; from here; from where you are; or so; in \
    total; nice and slow|slowly|easy; right now|away; at most; by yourself; as slowly as you? can|possible; with \
    care; good|nice turn|little; will do; would do; is enough|fine|good; should do it?; will be enough; for me";

/// Amounts that are no number.
const VAGUE: &str = "\
    few several bit little some slightly further farther lot tad smidge smidgen smidgeon more touch hair whisker \
    notch bunch fraction far quite inch half quarter sharp sharply hard slight lots much somewhat";

/// Measures that are none.
const UNMEASURED: &str = "\
    at least|most; up to; no? more|less than; a? maximum|max|minimum of?; max; between; least; up; most; than; \
    until";

impl Reader<'_> {
    pub(super) fn aside(&mut self) -> Option<usize> {
        if let Some(length) = longest(self.rest(), FAST) {
            self.frame.speed = Some(None);
            return Some(length);
        }
        if let Some(length) = longest(self.rest(), MANNER) {
            return Some(length);
        }
        if let Some(length) = longest(self.rest(), UNMEASURED) {
            self.frame.asks = Some(Missing::Distance);
            return Some(length);
        }
        // "Like a crab" says how, and nothing that wheels could do.
        if matches!(self.word(0), "like") && matches!(self.word(1), "a" | "an" | "the") && !self.is_amount(2)
        {
            return Some(self.rest().len().min(3));
        }
        if let Some(length) = self.place() {
            return Some(length);
        }
        if is_one_of(self.word(0), VAGUE) {
            // "Half left" and "a sharp right" do not say how far either.
            self.frame.is_vague |= !self.is_amount(1);
            return Some(1);
        }
        self.filler()
    }

    /// Small words, each only where it leads to something.
    fn filler(&mut self) -> Option<usize> {
        let leads = self.is_amount(1)
            || (self.is_amount(2)
                && is_one_of(
                    self.word(1),
                    "a about around exactly another the only approximately like roughly say just maybe perhaps circa wee",
                ))
            || is_one_of(self.word(1), "a few some about roughly the");
        let is_filler = match self.word(0) {
            "by" | "for" | "with" | "at" | "to" | "around" | "through" | "give" | "some" => leads,
            "of" => leads || self.frame.much.is_some(),
            "an" | "a" | "the" | "another" | "," | ":" => true,
            "make" | "it" => self.at <= 1,
            "me" | "us" => self.at == 1 && self.tokens[0].is_any("give do"),
            "like" => self.is_amount(1),
            "way" | "side" => self.frame.way.is_some(),
            "steps" | "step" | "turns" => {
                self.frame.is_vague = true;
                true
            }
            word => is_one_of(word, ASIDE),
        };
        is_filler.then_some(1)
    }

    /// A place to go, turn or look to; it takes all that follows.
    pub(super) fn place(&mut self) -> Option<usize> {
        self.frame.verb?;
        let is_look = matches!(self.frame.verb, Some(Verb::Look | Verb::Head));
        let missing = if is_look { Missing::Gaze } else { Missing::Place };
        let rest = self.rest();
        let is_measured = self.frame.way == Some(Way::Forward) && self.frame.much.is_some();
        if let Some(length) = longest(rest, "to|towards|toward me|us; in my direction") {
            if !is_measured {
                self.frame.asks = Some(missing);
            }
            return Some(length);
        }
        let leaves = match_at(rest, "away|back|off from").is_some()
            || match_at(rest, "over|along the|a|that|this|my|our").is_some();
        if let Some(length) = longest(rest, PLACES).filter(|_| !leaves) {
            self.frame.asks = Some(missing);
            return Some(length);
        }
        let is_anywhere = longest(rest, "all? around|round|about|everywhere|elsewhere|somewhere");
        if is_look && is_anywhere == Some(rest.len()) {
            self.frame.asks = Some(Missing::Gaze);
            return is_anywhere;
        }
        if is_look
            && matches!(self.word(0), "at" | "to" | "towards" | "toward" | "behind" | "under")
            && (1..=3).contains(&self.at)
        {
            self.frame.asks = Some(Missing::Gaze);
            return Some(rest.len());
        }
        let heads_for = self.word(0) == "for" && self.frame.verb == Some(Verb::Head) && !self.is_amount(1);
        if heads_for && rest.len() <= 5 {
            self.frame.asks = Some(Missing::Place);
            return Some(rest.len());
        }
        let leads = match_at(rest, "away|back|off from").is_some()
            || (!is_look && match_at(rest, "up|down|across|over|along the|a|that|this|my|our").is_some())
            || rest[0].is_any(TO_PLACE)
            || (self.word(0) == "around" && self.frame.verb == Some(Verb::Go));
        let is_short = rest.len() <= 7 && rest.len() >= 2;
        if leads && !is_look && is_short && !self.is_amount(1) && !has(rest, NO_PLACE) {
            self.frame.asks = Some(missing);
            return Some(rest.len());
        }
        None
    }
}
