//! How one tells of a sudden insight, a mystery solved or a thing looked up, and how one announces news.

use super::Doer::{Anybody, Speaker};
use super::Slot::{Across, Any, End, Is, Maybe, More, Start};
use super::learning::ASKS;
use super::{Cue, cue};

const INSIGHT: &str = "that you learned something";
const NEWS: &str = "that there is news";

pub(super) const CUES: &[Cue] = &[
    cue(
        Anybody,
        INSIGHT,
        &[Is("it that"), Maybe("just suddenly then"), Is("hit struck"), Is("me us")],
        "with car",
    ),
    cue(
        Anybody,
        INSIGHT,
        &[Is("mystery puzzle riddle case secret"), Any(5), Maybe("is was has been"), Is("solved cracked")],
        "",
    ),
    cue(
        Speaker,
        INSIGHT,
        &[
            Is("solved cracked deciphered decoded unravelled debunked"),
            Any(2),
            Is("mystery code cipher secret case problem equation puzzle riddle enigma"),
        ],
        "",
    ),
    cue(
        Anybody,
        INSIGHT,
        &[
            Is("class experiment lecture lesson museum school science zoo"),
            Any(2),
            Is("is was"),
            Maybe("absolutely really so totally"),
            Is("amazing astonishing awesome fascinating incredible mindblowing wild"),
        ],
        "out over",
    ),
    cue(
        Anybody,
        NEWS,
        &[
            Is("archaeologists astronauts astronomers biologists esa nasa researchers scientists"),
            Any(2),
            Is("filmed landed launched made measured mapped photographed sent trained"),
            More(1),
        ],
        "about",
    ),
    cue(Anybody, INSIGHT, &[Is("i we"), Is("know"), Is("how why"), Across(8), Is("now")], "you"),
    cue(Speaker, INSIGHT, &[Is("heard read saw"), Is("at in on"), Any(3), Is("how that why")], "you your"),
    cue(Anybody, INSIGHT, &[Is("it"), Is("says said"), Is("here there in on"), More(3)], "i not we you"),
    cue(
        Anybody,
        INSIGHT,
        &[Is("wikipedia encyclopedia encyclopaedia textbook atlas"), Any(1), Is("says said"), More(3)],
        "",
    ),
    cue(
        Anybody,
        INSIGHT,
        &[
            Is("dna exam test lab scan blood ancestry"),
            Is("result results kit"),
            Across(6),
            Is("am are came has have in is part positive say says said show showed shows"),
        ],
        "when",
    ),
    cue(
        Anybody,
        NEWS,
        &[
            Is("told showed tells"),
            Is("me us"),
            Any(2),
            Is("fact news secret something trick truth"),
            Across(0),
            More(2),
        ],
        "off not",
    ),
    cue(
        Anybody,
        NEWS,
        &[
            Is("got have bring brought here"),
            Maybe("is some a such i we to tell you for"),
            Maybe("amazing big crazy exciting good great huge incredible wonderful"),
            Is("news"),
        ],
        "no anchor paper on channel",
    ),
    cue(
        Anybody,
        NEWS,
        &[Start, Is("listen check look hear"), Is("to at out this"), Is("this out"), Across(0), More(3)],
        "",
    ),
    cue(Anybody, NEWS, &[Start, Is("just"), Is("in"), End, Across(0), More(2)], ""),
    cue(Anybody, NEWS, &[Is("it"), Is("is"), Is("official"), Across(0), More(2)], ""),
    cue(
        Speaker,
        INSIGHT,
        &[Is("made had"), Any(2), Is("breakthrough epiphany discovery revelation lightbulb")],
        "",
    ),
    cue(
        Speaker,
        INSIGHT,
        &[
            Is("googled researched wikipediaed investigated"),
            Any(3),
            Is("and it that about how why"),
            More(1),
        ],
        ASKS,
    ),
    cue(
        Speaker,
        INSIGHT,
        &[
            Is("saw spotted seen caught discovered"),
            Maybe("just a an the my our first real wild huge tiny"),
            Is("comet eclipse meteor meteorite supernova ufo whale"),
        ],
        "zoo tv film movie",
    ),
];
