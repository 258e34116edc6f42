//! How one tells that one learned something.

use super::Doer::{Anybody, Speaker};
use super::Slot::{Any, End, Is, Maybe, More, Start};
use super::{Cue, Words, cue};

pub(super) const I: Words = "i we";
pub(super) const LATELY: Words = "also actually finally have has had just only now recently today again \
    accidentally really";
/// "Did you know where my keys are" asks; "I learned my lesson" tells nothing new.
pub(super) const ASKS: Words = "bang bell doorbell from him her if lesson me noise nothing sound when where \
    whether which hard";
const LEARNED: &str = "that you learned something";
const REALISED: Words = "discovered learned learnt noticed realised realized spotted deduced gathered \
    detected decoded deciphered solved cracked";
const TOLD: Words = "heard read saw seen watched";
const AMAZED: Words = "amazed astonished astounded baffled dumbfounded flabbergasted floored \
    gobsmacked shocked speechless stunned surprised";

pub(super) const CUES: &[Cue] = &[
    cue(Speaker, LEARNED, &[Is("looked"), Is("it that"), Is("up")], ""),
    cue(
        Anybody,
        LEARNED,
        &[Is(I), Maybe("had have"), Is("never"), Is("heard"), Is("that of about anything")],
        "you him her",
    ),
    cue(
        Anybody,
        LEARNED,
        &[Is("something thing fact"), Maybe("that"), Is(I), Is("did never"), Maybe("not"), Is("know knew")],
        "",
    ),
    cue(Anybody, LEARNED, &[Is(I), Is("did"), Is("not"), Is("know"), Is("that"), End], ""),
    cue(Anybody, LEARNED, &[Is("taught showed"), Is("me us"), Is("that how why")], "lesson"),
    cue(Speaker, LEARNED, &[Is("reading read"), Is("about")], "you it"),
    cue(
        Anybody,
        LEARNED,
        &[Is("now"), Is(I), Any(1), Is("know see understand get"), Is("why how what where who that")],
        "you",
    ),
    cue(Anybody, LEARNED, &[Start, Is("never"), Is("knew"), More(1)], "him her them my"),
    cue(
        Speaker,
        LEARNED,
        &[
            Is("am was are were"),
            Maybe("a absolutely all bit completely quite really so totally truly very utterly"),
            Is(AMAZED),
        ],
        "by at you",
    ),
    cue(Anybody, LEARNED, &[Is("dawned clicked occurred"), Is("on to with for"), Is("me us")], ""),
    cue(
        Anybody,
        LEARNED,
        &[Start, Maybe("ah aha and oh so"), Is("that this"), Is("is"), Is("how what where who why")],
        "am he i letter she they you",
    ),
    cue(Anybody, LEARNED, &[Is("that this"), Is("explains"), More(1)], ""),
    cue(
        Anybody,
        LEARNED,
        &[
            Is(I),
            Maybe("now finally at last only"),
            Is("understand understood get"),
            Maybe("it now finally"),
            Is("how why what now"),
        ],
        "you",
    ),
    cue(Anybody, LEARNED, &[Is(I), Maybe("finally at last"), Is("get understand"), Is("it"), Is("now")], ""),
    cue(Anybody, LEARNED, &[Is(I), Is("always"), Is("believed thought assumed")], "you highly of"),
    cue(
        Anybody,
        LEARNED,
        &[Is(I), Is("did"), Is("not"), Maybe("even"), Is("know realise realize"), More(2)],
        "if him her them what where who whether how",
    ),
    cue(
        Anybody,
        LEARNED,
        &[
            Is(I),
            Maybe("had have"),
            Is("never"),
            Maybe("even ever"),
            Is("realised realized noticed"),
            Is("that how the a there"),
        ],
        "dream dreams",
    ),
    cue(Anybody, LEARNED, &[Is("was"), Is("today"), Is("years")], ""),
    cue(
        Speaker,
        LEARNED,
        &[
            Is(REALISED),
            Maybe("today just now yesterday in at school class only"),
            Is("a about an how my our that the there something what why"),
        ],
        ASKS,
    ),
    cue(Speaker, LEARNED, &[Is("read heard saw watched"), Is("that somewhere")], "you your coming"),
    cue(
        Speaker,
        LEARNED,
        &[
            Is(TOLD),
            Any(2),
            Is("article documentary lecture report study talk exhibition"),
            Any(1),
            Is("about how on that where which"),
        ],
        "boring",
    ),
    cue(Speaker, LEARNED, &[Is("was am"), Is("told taught"), Is("that"), More(2)], "you"),
    cue(Speaker, LEARNED, &[Is("learn"), Is("today")], ASKS),
    cue(Speaker, LEARNED, &[Is("learned learnt")], "lesson heart hard lines"),
    cue(
        Speaker,
        LEARNED,
        &[Is("am are been started start busy"), Maybe(LATELY), Is("learning studying")],
        ASKS,
    ),
    cue(
        Anybody,
        LEARNED,
        &[Start, Is("til")],
        "friday i later monday morning noon now saturday sunday then thursday \
    tomorrow tuesday wednesday we you next",
    ),
    cue(Anybody, LEARNED, &[Is(I), Is("never"), Is("knew")], "him her them my"),
    cue(Speaker, LEARNED, &[Is("had"), Is("no"), Is("idea clue")], ASKS),
    cue(
        Speaker,
        LEARNED,
        &[Is("just today"), Is("heard noticed read saw watched"), Is("about how in on somewhere that")],
        ASKS,
    ),
    cue(Speaker, LEARNED, &[Is("heard noticed read saw"), Is("today somewhere"), Is("that")], ASKS),
    cue(Speaker, LEARNED, &[Is("realised realized")], ASKS),
];
