//! The head and the camera by their names: what turns them, and what only faces somewhere. It turns nothing itself.

use super::Reader;
use crate::reflex::frame::{Verb, Way};
use crate::reflex::phrase::{is_one_of, longest};

const HEAD: &str = "\
    look|tilt|move|turn|point|face|direct|rotate|pan|swivel|bring|put|aim|lean|crane|cock|incline|bend|shift|cast|nod|angle|swing|set|train|fix|stretch|roll|get|keep|hold|return \
    your|the|both? head|eyes|gaze|camera|face|neck|eye|nose|view; your|the head|eyes|gaze|camera|neck; with your \
    head|eyes|camera; eyes|gaze; head";

impl Reader<'_> {
    /// The head by its name: "turn your head", "eyes left", "raise your head".
    pub(super) fn head(&mut self) -> Option<usize> {
        const PARTS: &str = "head eyes gaze camera chin face";
        if is_one_of(self.word(0), "raise lift hoist lower drop dip bow")
            && (is_one_of(self.word(1), PARTS) || is_one_of(self.word(2), PARTS))
        {
            let is_down = is_one_of(self.word(0), "lower drop dip bow");
            self.frame.way = Some(if is_down { Way::Down } else { Way::Up });
            self.frame.verb = Some(Verb::Look);
            return Some(if is_one_of(self.word(1), PARTS) { 2 } else { 3 });
        }
        // "Head off to the right", "head for the door": a verb, and no part of the body.
        if self.word(0) == "head"
            && is_one_of(self.word(1), "off over out to toward towards for back on home into")
        {
            self.frame.verb = Some(Verb::Go);
            return Some(1);
        }
        let is_camera = self.word(0) == "camera" && self.at == 0 && self.tokens.len() > 1;
        let length = longest(self.rest(), HEAD).or(is_camera.then_some(1))?;
        let is_bare = is_one_of(self.word(0), "head camera");
        if is_bare && self.frame.verb.is_some() {
            return None;
        }
        self.frame.verb = Some(if is_bare { Verb::Head } else { Verb::Look });
        Some(length)
    }

    /// "Face right by 70 degrees" turns the body, "face forward" the head.
    pub(super) fn face(&mut self) -> Option<usize> {
        let looks = self.tokens.iter().any(|token| token.is_any("head eyes forward front ahead up down"));
        self.frame.verb = Some(if looks { Verb::Look } else { Verb::Turn });
        Some(1)
    }
}
