//! How one tells Robbie that one is fond of him. Fondness of anything else is not looked for.

use super::Doer::{Anybody, Speaker};
use super::Slot::{Any, End, Is, Maybe, Start};
use super::{Cue, Words, ahead, cue};

const I: Words = "i we";
pub(super) const YOU: Words = "you thee";
/// May stand between any two words that matter.
pub(super) const ADVERBS: Words = "a an absolutely all already also always am and awfully be been best big bit \
    cute dear deeply do ever favorite favourite going have honestly incredibly \
    just kind kinda little lot lovely most much my of old only our own part \
    pretty quite rather real really seriously silly simply small so still such \
    super sweet tell terribly the tiny to too totally truly utterly very will";
const LOVE: Words = "adore cherish heart love treasure worship";
/// Several people, or a thing that is wanted: "I love you all", "I'd love you to".
pub(super) const NOT_HIM: Words = "both dad folks grandma grandpa guys kids mom mum people two better less";
const HUG: Words = "cuddle cuddles hug hugs kiss kisses snuggle squeeze";
const LOVED: &str = "that you are fond of me";
const MISSED: &str = "that you missed me";
/// What is dear about him.
pub(super) const FEATURES: Words = "beeping beeps blinking body chatter company ears eyes face giggle head heart laugh \
    lights smile voice way ways wheels";

pub(super) const CUES: &[Cue] = &[
    cue(Anybody, LOVED, &[Is("love"), Is("love"), Maybe("love"), Is(YOU)], ""),
    cue(
        Speaker,
        LOVED,
        &[Is("forward"), Is("to"), Is("being coming cuddling hugging seeing"), Any(2), Is(YOU)],
        "tomorrow later",
    ),
    cue(Speaker, LOVED, &[Is("spend spending"), Any(5), Is("with"), Is(YOU)], "her him them"),
    cue(Anybody, LOVED, &[Start, Is("kiss"), Is("kiss")], ""),
    ahead(Anybody, LOVED, &[Is(HUG), Any(1), Is("with"), Is("me")], "her him them"),
    cue(
        Anybody,
        MISSED,
        &[
            Is("miss"),
            Is("being chatting cuddling having hearing hugging playing seeing talking"),
            Any(2),
            Is("you your"),
        ],
        "",
    ),
    cue(Anybody, LOVED, &[Is(YOU), Is("have"), Any(5), Is("my"), Is("heart")], ""),
    ahead(Anybody, LOVED, &[Is("let"), Is("us"), Is(HUG)], "her him them"),
    cue(Anybody, LOVED, &[Start, Is("hugs kisses cuddles smooch mwah"), End], ""),
    cue(
        Anybody,
        LOVED,
        &[
            Is("how"),
            Is("much"),
            Is("i we"),
            Maybe(ADVERBS),
            Is("adore care like love miss need treasure"),
            Maybe("about for"),
            Is(YOU),
        ],
        "",
    ),
    cue(Anybody, LOVED, &[Is("be"), Is("my mine"), Maybe("valentine forever"), End], "guest"),
    cue(Anybody, LOVED, &[Is("ich te ti je t"), Is("liebe amo quiero aime adore")], ""),
    cue(
        Speaker,
        LOVED,
        &[
            Is("feel am"),
            Maybe(ADVERBS),
            Is("happy happiest safe loved home complete warm whole calm"),
            Is("with around near when"),
            Maybe("i am are"),
            Is("you with near around"),
            Any(1),
        ],
        "her him them",
    ),
    cue(Anybody, LOVED, &[Is("xoxo xx xxx xoxoxo")], ""),
    cue(
        Anybody,
        LOVED,
        &[Is(I), Maybe(ADVERBS), Is(LOVE), Maybe("it"), Is("how when the everything every"), Any(2), Is(YOU)],
        "",
    ),
    cue(
        Anybody,
        LOVED,
        &[Is(I), Maybe(ADVERBS), Is(LOVE), Is("my this our"), Maybe(ADVERBS), Is("robot robbie bot")],
        "vacuum",
    ),
    cue(Anybody, LOVED, &[Is("crush spot sweet"), Maybe("spot"), Is("on for"), Is(YOU)], ""),
    cue(Anybody, LOVED, &[Is("head"), Is("over"), Is("heels")], "stairs fell he she"),
    cue(
        Anybody,
        LOVED,
        &[Is("sending send blow blowing"), Is(YOU), Any(2), Is("love hug hugs kiss kisses cuddles")],
        "",
    ),
    cue(
        Anybody,
        LOVED,
        &[Is("all lots much"), Maybe("of my our"), Is("love hugs kisses cuddles"), Is("to for and")],
        "her him them",
    ),
    cue(Anybody, LOVED, &[Is("my"), Is("heart"), Any(3), Is("you your yours robbie")], "about"),
    cue(Anybody, LOVED, &[Is("heart"), Any(2), Is("belongs beats"), Any(1), Is("to for"), Is(YOU)], ""),
    cue(Anybody, LOVED, &[Is("heart"), Any(1), Is("melts melting melted sings skips"), Any(4), Is(YOU)], ""),
    cue(
        Anybody,
        LOVED,
        &[
            Is(I),
            Maybe(ADVERBS),
            Is("need want"),
            Is(YOU),
            Maybe("a always here in lot my so very much"),
            Is("forever always life much"),
        ],
        "",
    ),
    cue(Anybody, LOVED, &[Is(I), Maybe(ADVERBS), Is("need"), Is(YOU), End], ""),
    cue(
        Speaker,
        LOVED,
        &[
            Is("never"),
            Any(1),
            Is("forget give leave let part replace sell swap trade want"),
            Any(2),
            Is(YOU),
            Any(1),
        ],
        "that",
    ),
    cue(
        Anybody,
        LOVED,
        &[
            Is("not never"),
            Any(1),
            Is("swap trade replace sell give exchange"),
            Is(YOU),
            Any(1),
            Is("away for up with"),
        ],
        "",
    ),
    ahead(
        Anybody,
        LOVED,
        &[
            Is("pick choose take prefer keep"),
            Is(YOU),
            Any(2),
            Is("always any anybody anyone every over forever"),
        ],
        "",
    ),
    cue(Speaker, LOVED, &[Is("miss missing adore loving"), Is(YOU)], NOT_HIM),
    cue(Speaker, LOVED, &[Is("dreamed dreaming dreamt dream"), Is("about of"), Is(YOU)], ""),
    cue(Anybody, LOVED, &[Is("thought thoughts thinking memory sight"), Is("of about"), Is(YOU)], "idea"),
    cue(Anybody, LOVED, &[Is("think"), Maybe("the"), Is("world"), Is("of"), Is(YOU)], ""),
    cue(
        Anybody,
        LOVED,
        &[Is("wait waiting rushed hurried"), Any(3), Is("home see hug"), Maybe("to"), Is(YOU)],
        "later tomorrow",
    ),
    cue(
        Anybody,
        LOVED,
        &[
            Is("home being time life living every"),
            Any(2),
            Is("to with near around beside"),
            Is(YOU),
            Any(5),
            Is("best day favourite favorite happy joy love makes wonderful bliss better \
    lovely"),
        ],
        "",
    ),
    cue(
        Anybody,
        LOVED,
        &[Is("treasure cherish love enjoy adore"), Any(4), Is("with near beside"), Is(YOU)],
        "to",
    ),
    cue(
        Speaker,
        LOVED,
        &[Is("hold holding cuddling cuddle hugging hug snuggle kiss squeeze"), Any(1), Is("you your robbie")],
        "goodbye accountable",
    ),
    cue(
        Anybody,
        LOVED,
        &[Is("hug cuddle kiss snuggle"), Maybe("for a big to on"), Is("you your robbie")],
        "her him",
    ),
    ahead(
        Anybody,
        LOVED,
        &[Is("give have want need let"), Any(3), Is("a another big"), Maybe(ADVERBS), Is(HUG)],
        "her him them his mum mom",
    ),
    cue(
        Anybody,
        MISSED,
        &[Is(I), Maybe(ADVERBS), Is("miss"), Maybe(ADVERBS), Is("that those your"), Any(3), Is(FEATURES)],
        "her his their",
    ),
    cue(Anybody, MISSED, &[Is("miss"), Any(4), Is("of"), Is("yours")], ""),
    cue(Anybody, LOVED, &[Is("could"), Maybe(ADVERBS), Is(HUG), Is(YOU)], ""),
    cue(Speaker, LOVED, &[Is("give"), Is(YOU), Is("a"), Maybe(ADVERBS), Is(HUG)], ""),
    cue(
        Anybody,
        LOVED,
        &[Is(I), Maybe(ADVERBS), Is("adore love miss"), Is("that those your"), Maybe(ADVERBS), Is(FEATURES)],
        "her his",
    ),
    cue(Anybody, LOVED, &[Is(I), Maybe(ADVERBS), Is(LOVE), Is(YOU)], NOT_HIM),
    cue(Anybody, LOVED, &[Start, Maybe(ADVERBS), Is("adore love"), Is(YOU)], NOT_HIM),
    cue(Anybody, LOVED, &[Is(I), Maybe(ADVERBS), Is("like"), Is(YOU)], NOT_HIM),
    cue(
        Speaker,
        LOVED,
        &[Is("love"), Is("with"), Maybe("my this dear robot"), Is("you robbie robot")],
        NOT_HIM,
    ),
    cue(Speaker, LOVED, &[Is("fallen falling fell"), Is("for"), Is(YOU)], NOT_HIM),
    cue(
        Speaker,
        LOVED,
        &[Is("crazy fond mad nuts proud smitten wild"), Is("about by for of with"), Is(YOU)],
        NOT_HIM,
    ),
    cue(Speaker, LOVED, &[Is("attached close devoted"), Is("to"), Is(YOU)], NOT_HIM),
    cue(
        Anybody,
        LOVED,
        &[Is(I), Maybe(ADVERBS), Is("care"), Maybe(ADVERBS), Is("about for"), Is(YOU)],
        NOT_HIM,
    ),
    cue(Speaker, LOVED, &[Is("have"), Is(YOU), Maybe(ADVERBS), Is("dear gern")], ""),
    cue(
        Anybody,
        LOVED,
        &[
            Is(I),
            Maybe(ADVERBS),
            Is("adore enjoy love"),
            Is("being having living seeing spending talking working"),
            Any(3),
            Is(YOU),
        ],
        NOT_HIM,
    ),
    cue(
        Anybody,
        LOVED,
        &[
            Is("never not"),
            Maybe("ever"),
            Is("help stop stopped"),
            Is("adoring loving missing hugging"),
            Is(YOU),
        ],
        "",
    ),
    cue(Speaker, LOVED, &[Is("loving adoring"), Is(YOU)], NOT_HIM),
    cue(Speaker, LOVED, &[Is("thinking thought"), Maybe(ADVERBS), Is("about of"), Is(YOU)], NOT_HIM),
    cue(Speaker, LOVED, &[Is(HUG), Maybe(ADVERBS), Is("robbie robot you")], "goodbye"),
    cue(Anybody, LOVED, &[Start, Maybe(ADVERBS), Is(HUG), Is("and from for on to")], "her him them"),
    ahead(
        Anybody,
        LOVED,
        &[Is("give get have need want"), Maybe("me us to"), Is("a another"), Maybe(ADVERBS), Is(HUG)],
        "her him them",
    ),
    cue(Anybody, LOVED, &[Is("marry"), Is("me")], ""),
    cue(Speaker, LOVED, &[Is("keep"), Is(YOU), Is("always forever")], ""),
    cue(Anybody, MISSED, &[Is(I), Maybe(ADVERBS), Is("miss"), Maybe(ADVERBS), Is(YOU)], NOT_HIM),
    cue(Anybody, MISSED, &[Start, Maybe(ADVERBS), Is("miss"), Maybe(ADVERBS), Is(YOU)], NOT_HIM),
];
