//! Puts words into the one spelling that the grammar reads: short forms, plurals, and slips of one letter in words of command.
//! A word that is English by itself is never changed.

use super::phrase::is_one_of;
use super::token::{Kind, Token};

/// English words one slip away from a word of command.
const KNOWN: &str = "\
    aback abound ack advanced advances afoot aground ahmad alain alf alight alt alter ard aster atop bac \
    baca bach backs backyard baek bak bake balk bank bard bards bark bask batter batters bead beck beet \
    bello bellow black bleu blight blu blues blum blur bobbie bock book boot boss breen breeze bright \
    brushing buck burn burning buttery cake calf canter card cards cello centers centred centres centro \
    change charged charger charges chen cleft clue colo colon colors colours conor cook cote cove dead \
    decree decrees deft derive deriving deter dink dive diving donut dove drivel driven driver drives drove \
    eight eighth emergence enter entre even ever fake fallow feat fee feed feel fees fellow felt fest fet \
    fever fifth fight fights finch fink fleet flight flights flue flushing focuses focussed follows font foo \
    food fool foote footy foray fort forte forth forts freezer freezes fret frieze fright gain gilt glue \
    good gove grange greed greek greene greens greer greet ground hack had hal hala hale hall hallo halo \
    halts hanks hard hart hast hat heads heady heal heap hear heard heat heed heft held hell hella hells hen \
    herd hilt hollow holt hood hook hoot hove hundreds ich ight inc inca ince incl ink itch jack jake jello \
    jeter kilt kink lack lake lard lead lease lefty lent lest let lever lift link lock locus loft lok loo \
    looks loom loon loop loos loot love loving lyft mack make malt mater mead meet meier mellow mere meteor \
    meteors metro meyer meyers might mighty mink mod mode moe mold mole moo moods moody moon moor moot more \
    morty mov moved mover moves movie mowing nate neuer neve newer niches nifty night nights nite node noe \
    none nook nope norte nose not noted notes notre nots oranges ove pack pease peter peters photon photos \
    pick pictured pictures pilot pin pinch pine ping pinks pinky pinot pins pint pleased pleases plight \
    proto punk quarters quartet rack rake range read recalls remand remembers reminds renter retreats revere \
    reversed reverses rewind rights rink rook root rotated rotates rote rotting round rove roving sack sake \
    salt seen sein selfies semen sevens seventh sever severn shalt shanks shen shin shite shop sight sights \
    silt sin sink sixth skin slight slop snitch soot sop spain span spi spine spins spit spun stake states \
    stats statue statues step steven stitch stomp stoop stops stow stp surprise surprises sven swatch tack \
    tae tak taka taken taker takes tale tame tanks tape tate tern thank thanos thee then there thinks \
    thirsty threes threw tight tights til tile till tilts tink tint tit toke took toot top torn tote tree \
    tun tuning turd turf turin turing turk turns twine twitch urn vote wack waite wake walt ward wards \
    weighty wen whew whey while whine whit whiter whites whitey whyte wien wight wilt winch wink witch wood \
    wook wren wright write yar yarn yarns yellows zack";

/// Words of command in which a slip is forgiven.
const COMMANDS: &str = "\
    turn turning rotate spin pivot drive driving move moving reverse forward forwards backward backwards \
    ahead straight left right around clockwise counterclockwise anticlockwise degree degrees metre meter \
    metres meters centimetre centimeter centimetres centimeters inch inches foot feet yard stop halt freeze \
    look tilt head lights light switch colour color take picture photo selfie remember remind note recall \
    battery charge status mood playful focused friendly bossy surprised blushing please robbie half quarter \
    back never don't seventy ninety thirty forty fifty sixty eighty hundred twenty blue green yellow orange \
    purple white pink again twice emergency until before after unless";

/// The one spelling of a word that has several.
fn canonical(word: &str) -> Option<&'static str> {
    measure(word).or_else(|| without_mark(word)).or_else(|| short_form(word))
}

/// Ways and units.
fn measure(word: &str) -> Option<&'static str> {
    Some(match word {
        "forwards" | "fwd" | "fw" | "frwd" | "onward" | "onwards" => "forward",
        "backwards" | "bwd" | "bckwd" | "rearward" | "rearwards" => "backward",
        "meter" | "meters" | "metres" | "metters" => "metre",
        "centimeter" | "centimeters" | "centimetres" => "centimetre",
        "millimeter" | "millimeters" | "millimetres" => "millimetre",
        "kilometer" | "kilometers" | "kilometres" => "kilometre",
        "inches" => "inch",
        "feet" => "foot",
        "yards" => "yard",
        "degrees" | "deg" | "degs" => "degree",
        _ => return None,
    })
}

/// Words whose mark was left out.
fn without_mark(word: &str) -> Option<&'static str> {
    Some(match word {
        "dont" | "dnot" | "donot" | "dnt" | "don’t" => "don't",
        "doesnt" => "doesn't",
        "didnt" => "didn't",
        "wont" => "won't",
        "cant" | "cannot" => "can't",
        "shouldnt" => "shouldn't",
        "wouldnt" => "wouldn't",
        "couldnt" => "couldn't",
        "mustnt" => "mustn't",
        "isnt" => "isn't",
        "im" => "i'm",
        "youre" => "you're",
        "its" => "it's",
        "thats" => "that's",
        "whats" | "wats" => "what's",
        "hows" => "how's",
        "wheres" => "where's",
        "whens" => "when's",
        "whos" => "who's",
        "lets" => "let's",
        "theres" => "there's",
        _ => return None,
    })
}

/// Short, spoken and slipped forms.
fn short_form(word: &str) -> Option<&'static str> {
    Some(match word {
        "u" | "ya" | "yu" | "ye" | "yous" => "you",
        "yer" | "yo'" => "your",
        "'em" | "em" => "them",
        "lil" => "little",
        "luk" | "wook" | "lookit" => "look",
        "bk" | "bak" => "back",
        "forrard" | "forrads" | "foward" | "frd" => "forward",
        "b4" => "before",
        "n" => "and",
        "cud" | "cld" => "could",
        "wud" | "wld" => "would",
        "gud" => "good",
        "chrg" => "charge",
        "nope" | "nah" | "naw" => "no",
        "whr" | "wher" => "where",
        "wht" | "wot" => "what",
        "wainbow" => "rainbow",
        "da" => "the",
        "lvl" => "level",
        "hdg" => "heading",
        "spd" => "speed",
        "pos" => "position",
        "bckwrds" | "bkwds" | "bkwd" | "bwds" => "backward",
        "frwrd" | "fwrd" | "forwrd" | "fwds" => "forward",
        "rght" | "rgt" => "right",
        "lft" => "left",
        "strt" => "straight",
        "spn" => "spin",
        "bcuz" | "bc" => "because",
        "tmrw" | "tmr" => "tomorrow",
        "abt" => "about",
        "tk" => "take",
        "drv" => "drive",
        "trn" => "turn",
        "mv" => "move",
        "lites" | "lite" => "lights",
        "wight" => "right",
        "stawp" | "spto" | "stahp" => "stop",
        "piccy" | "pikchur" => "picture",
        "rmbr" | "rmember" => "remember",
        "sry" | "soz" => "sorry",
        "righto" | "rightio" | "rightyo" | "alrighty" | "okie" | "okey-dokey" | "aye" => "ok",
        "ur" => "your",
        "r" => "are",
        "pls" | "plz" | "plis" | "pleaz" | "pleas" | "plss" | "plse" => "please",
        "ta" | "thx" | "ty" | "tnx" | "thanx" | "thankyou" | "cheers" => "thanks",
        "stpo" | "sotp" | "stp" | "stopp" | "sto" | "tsop" | "stoop!" => "stop",
        "whoah" | "woah" | "wo" | "whoaa" => "whoa",
        "sau" => "say",
        "til" | "till" => "until",
        "bakward" => "backward",
        "pic" | "pics" | "pict" | "pix" | "pictures" => "picture",
        "photos" | "foto" => "photo",
        "batt" | "bat" | "batteries" | "batts" => "battery",
        "led" | "leds" | "lights" => "lights",
        "color" | "colors" | "colours" => "colour",
        "ok" | "okay" | "okey" | "k" | "kk" | "okk" => "ok",
        "cw" => "clockwise",
        "ccw" | "counterclockwise" | "anticlockwise" => "counterclockwise",
        "rite" | "rt" => "right",
        "bot" => "robot",
        "rob" | "robby" | "robie" | "robi" | "robbi" | "wobbie" | "wobby" | "robster" => "robbie",
        "rn" | "asap" => "now",
        "estop" => "e-stop",
        "fourty" => "forty",
        "ninty" => "ninety",
        _ => return None,
    })
}

/// The same tokens with every word in its one spelling.
pub(super) fn spell(mut tokens: Vec<Token>) -> Vec<Token> {
    let small = tokens.iter().filter(|token| token.kind == Kind::Word).count();
    // "Go 2 the left".
    for at in 1..tokens.len() {
        if tokens[at - 1].is("2") && tokens[at].is_any("the my your") {
            tokens[at - 1].kind = Kind::Word;
            "to".clone_into(&mut tokens[at - 1].text);
        }
    }
    let mut starts = true;
    let mut after_turn = false;
    for token in &mut tokens {
        // A name inside a sentence is a name, unless nearly everything is written large.
        let is_name = token.kind == Kind::Name && !starts && small > 0;
        starts = token.ends_sentence();
        if !token.is_word() {
            after_turn = false;
            continue;
        }
        squeeze(&mut token.text);
        // "Turn r 90".
        if after_turn && matches!(token.text.as_str(), "r" | "l") {
            (if token.is("r") { "right" } else { "left" }).clone_into(&mut token.text);
        } else if let Some(word) = canonical(&token.text) {
            word.clone_into(&mut token.text);
        } else if !is_name && let Some(word) = forgiven(&token.text) {
            canonical(word).unwrap_or(word).clone_into(&mut token.text);
        }
        after_turn = token.is_any("turn look rotate spin go pivot");
    }
    merge(part(tokens))
}

/// Sounds and words of emphasis that ask for nothing, wherever they stand.
const SOUNDS: &str = "\
    um uh uhm umm uhh erm ehm hmm hm uhhh ummm mhm really awfully terribly truly honestly literally basically \
    dearly ahem";

/// Words that are two, and without the sounds that people make while they think.
fn part(tokens: Vec<Token>) -> Vec<Token> {
    let mut parted = Vec::with_capacity(tokens.len());
    for token in tokens {
        if token.is_word() && token.is_any(SOUNDS) {
            continue;
        }
        let Some((one, other)) = two_words(&token.text) else {
            parted.push(token);
            continue;
        };
        let second = Token { text: other.to_owned(), from: token.to, ..token.clone() };
        parted.push(Token { text: one.to_owned(), ..token });
        parted.push(second);
    }
    parted
}

fn two_words(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word {
        "wouldja" | "wouldya" => ("would", "you"),
        "couldja" | "couldya" => ("could", "you"),
        "canya" | "canu" => ("can", "you"),
        "willya" => ("will", "you"),
        "gimme" | "gimmie" => ("give", "me"),
        "lemme" => ("let", "me"),
        "gonna" => ("going", "to"),
        "wanna" => ("want", "to"),
        "gotta" => ("got", "to"),
        "cmon" | "c'mon" => ("come", "on"),
        "dunno" => ("don't", "know"),
        "whatcha" => ("what", "you"),
        "betcha" => ("bet", "you"),
        _ => return None,
    })
}

/// "Stooop" and "pleaaase" without the letters that shout.
fn squeeze(word: &mut String) {
    let bytes = word.as_bytes();
    if !word.is_ascii() || !bytes.windows(3).any(|three| three[0] == three[1] && three[1] == three[2]) {
        return;
    }
    let mut letters: Vec<(char, usize)> = Vec::new();
    for letter in word.chars() {
        match letters.last_mut() {
            Some((last, count)) if *last == letter => *count += 1,
            _ => letters.push((letter, 1)),
        }
    }
    *word = letters
        .iter()
        .flat_map(|&(letter, count)| std::iter::repeat_n(letter, if count == 2 { 2 } else { 1 }))
        .collect();
}

/// "U-turn", "e-stop" and "don t" are one word each, however they are cut.
fn merge(tokens: Vec<Token>) -> Vec<Token> {
    let mut merged: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let one = merged.last().map_or("", |last| last.text.as_str());
        // "Could u turn left" has no u-turn.
        let is_pronoun = merged.len() > 1
            && merged[merged.len() - 2]
                .is_any("could can would will should need want must let may might if that")
            && one == "you";
        let word = match (one, token.text.as_str()) {
            ("you", "turn") if is_pronoun => {
                merged.push(token);
                continue;
            }
            ("you" | "a-u", "turn") if merged.last().is_some_and(|last| last.to - last.from == 1) => "u-turn",
            ("e" | "emergency", "stop") => "e-stop",
            ("emergency", "stopp" | "halt") => "e-stop",
            ("non", "stop") => "nonstop",
            ("bus" | "pit" | "full" | "tram" | "truck" | "train", "stop") => "stopover",
            ("do" | "don", "not" | "t") => "don't",
            ("counter" | "anti", "clockwise") => "counterclockwise",
            ("wi", "fi") => "wifi",
            ("about", "face" | "turn") => "about-face",
            _ => {
                merged.push(token);
                continue;
            }
        };
        if let Some(last) = merged.last_mut() {
            word.clone_into(&mut last.text);
            last.to = token.to;
        }
    }
    merged
}

/// The one word of command that is a single slip away.
fn forgiven(word: &str) -> Option<&'static str> {
    if word.len() < 3 || word.len() > 18 || is_one_of(word, COMMANDS) {
        return None;
    }
    let mut near =
        COMMANDS.split_ascii_whitespace().filter(|command| is_near(word.as_bytes(), command.as_bytes()));
    let first = near.next().filter(|_| !is_one_of(word, KNOWN))?;
    let same = canonical(first).unwrap_or(first);
    near.all(|other| canonical(other).unwrap_or(other) == same).then_some(first)
}

/// Whether one letter more, less, other or two letters swapped make the one word the other.
fn is_near(one: &[u8], other: &[u8]) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if long.len() - short.len() > 1 {
        return false;
    }
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    if short.len() < long.len() {
        return short[same..] == long[same + 1..];
    }
    let (short, long) = (&short[same..], &long[same..]);
    match (short, long) {
        ([_, short_rest @ ..], [_, long_rest @ ..]) if short_rest == long_rest => true,
        ([a, b, short_rest @ ..], [c, d, long_rest @ ..]) => a == d && b == c && short_rest == long_rest,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::token::tokens;
    use super::*;

    fn check(text: &str, expected: &str) {
        let spelled = spell(tokens(text));
        let spelled: Vec<&str> = spelled.iter().map(|token| token.text.as_str()).collect();
        assert_eq!(spelled.join(" "), expected, "{text}");
    }

    #[test]
    fn a_slip_of_one_letter_is_forgiven_in_a_command() {
        check("trun lfet foward", "turn left forward");
        check("mtere degres batery", "metre degree battery");
        check("Stpo lihgts", "stop lights");
        check("tkae a pictrue", "take a picture");
        check("pls dnot turn", "please don't turn");
        check("pleaaase stooop", "please stop");
    }

    #[test]
    fn an_english_word_stays_what_it_is() {
        check("the shop burns a bock", "the shop burns a bock");
        check("I met Loft and Truns", "i met loft and truns");
        check("lift night then hall step", "lift night then hall step");
        check("stopped driver drives", "stopped driver drives");
    }

    #[test]
    fn words_that_were_cut_come_together() {
        check("do a U-turn", "do a u-turn");
        check("do not press the e-stop", "don't press the e-stop");
        check("emergency stop", "e-stop");
        check("anti-clockwise", "counterclockwise");
    }
}
