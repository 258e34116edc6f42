//! How one says that one is glad of Robbie, and that it would be worse without him.

use super::Doer::{Anybody, Speaker};
use super::Slot::{Across, Any, Is, Maybe};
use super::affection::{ADVERBS, NOT_HIM, YOU};
use super::praise::PRAISED;
use super::{Cue, Words, cue};

/// How one feels who is glad of somebody.
const GLAD: Words = "blessed delighted fortunate glad grateful happy lucky overjoyed pleased \
    thankful thrilled";
const BETTER: Words = "better brighter cosier easier emptier funnier happier lighter merrier nicer \
    richer sweeter warmer";
const EMPTY: Words = "bored boring cold dark dull empty grey half incomplete lonely lost quiet sad \
    sadder unbearable unthinkable wrong";

pub(super) const CUES: &[Cue] = &[
    cue(Speaker, PRAISED, &[Is(GLAD), Is("for of"), Is(YOU)], "all your"),
    cue(
        Anybody,
        PRAISED,
        &[
            Is("with"),
            Is(YOU),
            Is("is feels"),
            Any(2),
            Is("adventure blessing bliss delight fun gift joy pleasure treat special \
    wonderful"),
        ],
        "",
    ),
    cue(
        Anybody,
        PRAISED,
        &[
            Is(YOU),
            Any(1),
            Is("make made"),
            Any(4),
            Is("better bearable bright brighter easier fun happier happy lighter nicer \
    special sweeter worthwhile wonderful"),
        ],
        "mess",
    ),
    cue(
        Anybody,
        PRAISED,
        &[Is("nobody nothing none"), Is("beats makes cheers understands"), Any(4), Is(YOU)],
        "",
    ),
    cue(Anybody, PRAISED, &[Is("nobody none nothing"), Any(2), Is("replace beat match"), Is(YOU)], ""),
    cue(
        Anybody,
        PRAISED,
        &[Is("make made"), Maybe("me us"), Maybe("so very really"), Is("happy smile glad"), Any(3), Is(YOU)],
        "her him them",
    ),
    cue(
        Anybody,
        PRAISED,
        &[Is("nobody no none nothing"), Any(3), Is("as so"), Any(4), Is("as like"), Is(YOU)],
        "",
    ),
    cue(
        Speaker,
        PRAISED,
        &[
            Is(GLAD),
            Maybe("am are be because i that to we when feel"),
            Is("have having see seeing got"),
            Any(1),
            Is("you your"),
            Maybe("here in back home again"),
        ],
        "all",
    ),
    cue(
        Speaker,
        PRAISED,
        &[
            Is(GLAD),
            Across(0),
            Maybe("that because when whenever"),
            Is(YOU),
            Is("are exist live came belong"),
        ],
        "ok okay fine not",
    ),
    cue(Anybody, PRAISED, &[Is(EMPTY), Any(3), Is("without"), Is(YOU)], ""),
    cue(Anybody, PRAISED, &[Is("without"), Is(YOU), Any(5), Is(EMPTY)], ""),
    cue(
        Anybody,
        PRAISED,
        &[
            Is("not never could"),
            Any(3),
            Is("imagine picture live survive manage bear stand"),
            Any(4),
            Is("without"),
            Is(YOU),
        ],
        "",
    ),
    cue(Anybody, PRAISED, &[Is(BETTER), Any(2), Is("with since because"), Any(1), Is(YOU)], ""),
    cue(
        Anybody,
        PRAISED,
        &[
            Is("cheer get know make understand"),
            Maybe("me us up smile happy laugh"),
            Any(1),
            Is("like the as"),
            Any(2),
            Is(YOU),
        ],
        "",
    ),
    cue(Anybody, PRAISED, &[Is("what"), Is("will would"), Any(4), Is("without"), Is(YOU)], NOT_HIM),
    cue(
        Anybody,
        PRAISED,
        &[
            Is(YOU),
            Maybe(ADVERBS),
            Is("make made"),
            Maybe("me us my our"),
            Maybe(ADVERBS),
            Is("day days happy happier heart life melt smile"),
        ],
        "",
    ),
    cue(
        Speaker,
        PRAISED,
        &[Is("blessed glad grateful happy lucky thankful"), Any(2), Is("got have"), Is(YOU)],
        NOT_HIM,
    ),
    cue(
        Speaker,
        PRAISED,
        &[
            Is("glad grateful happy lucky"),
            Maybe("that"),
            Is(YOU),
            Is("are exist"),
            Maybe("my still"),
            Is("around here mine robot"),
        ],
        "",
    ),
    cue(
        Anybody,
        PRAISED,
        &[Is("never no nobody not nothing what will would"), Any(5), Is("without"), Is(YOU)],
        NOT_HIM,
    ),
    cue(
        Anybody,
        PRAISED,
        &[
            Is("never no nobody not nothing"),
            Any(5),
            Is("better cuter dearer kinder lovelier nicer sweeter"),
            Any(2),
            Is("than"),
            Is(YOU),
        ],
        "",
    ),
    cue(Anybody, PRAISED, &[Is("no nobody nothing"), Any(2), Is("like"), Is(YOU)], ""),
    cue(Anybody, PRAISED, &[Is("ily ilysm ilu ilyy")], ""),
];
