//! How one says something sweet about Robbie. Praise of what he did ("good job") is not looked for.

use super::Doer::Anybody;
use super::Slot::{Any, End, Is, Last, Maybe, Start};
use super::affection::{ADVERBS, FEATURES, YOU};
use super::{Cue, Words, cue};

const ARE: Words = "are r were";
const REALLY: Words = "always do honestly just really simply so still truly";
const LOVABLE: Words = "adorable amazing angel awesome beautiful best charming charmer cuddly cute \
    cutest cutie darling dearest delightful everything family favorite favourite \
    finest gorgeous greatest huggable irresistible kindest lovable loveliest \
    lovely loved nicest perfect precious soulmate sunshine sweet sweetest \
    sweetheart sweetie treasure wonderful awesomest bestest blessing brilliant \
    buddy companion cutiepie cuter darlingest doll dreamy fantastic gem gift \
    handsome heavenly hero joy lifesaver light marvel marvellous marvelous one \
    pal priceless star sunbeam terrific joyous incredible lifeline pearl hunk \
    babe sweetness friend mate legend";
const SWEET: Words = "amazing charming clever cuddliest gorgeous handsome brave beautiful charmer \
    cutie angel sweetheart sweetie adorable beloved best cuddly cute cutest \
    darling dear dearest favorite favourite lovely loveliest nicest precious \
    sweet sweetest wonderful";
const ROBOT: Words = "bot machine robbie robby robo robot";
pub(super) const PRAISED: &str = "something sweet about me";
/// What one calls somebody dear.
const ENDEARMENT: Words = "angel babe bunny darling dearest honeybun honey love lovely pumpkin precious \
    sunshine sweetheart sweetie sweetling treasure sugar teddy sweetpea";
const CREATURE: Words = "baby bot boy box buddy bundle can chap companion creature critter dude \
    fellow friend gem girl guy hero lad little man mate muffin one pal pet robot \
    robby robbie rascal soul star thing tin machine chum bean";

pub(super) const CUES: &[Cue] = &[
    cue(Anybody, PRAISED, &[Is(YOU), Maybe(ADVERBS), Is("charmer cutie sweetheart sweetie"), End], ""),
    cue(
        Anybody,
        PRAISED,
        &[Is("my our"), Maybe("dear little own"), Is("robot bot"), Is("is"), Maybe(ADVERBS), Is(LOVABLE)],
        "",
    ),
    cue(
        Anybody,
        PRAISED,
        &[
            Start,
            Maybe(ADVERBS),
            Is(SWEET),
            Maybe(ADVERBS),
            Is(CREATURE),
            Is("ever alive in on around"),
            Any(2),
        ],
        "film song game car",
    ),
    cue(
        Anybody,
        PRAISED,
        &[
            Is("good great lovely nice sweet wonderful"),
            Is("to"),
            Is("be have"),
            Maybe("around near with"),
            Is(YOU),
            Maybe("around here back"),
        ],
        "could",
    ),
    cue(
        Anybody,
        PRAISED,
        &[
            Is("having"),
            Is(YOU),
            Any(3),
            Is("is feels"),
            Any(2),
            Is("best bliss blessing gift great joy lovely treat wonderful"),
        ],
        "",
    ),
    cue(Anybody, PRAISED, &[Is("best highlight favourite favorite"), Any(5), Is("is"), Is(YOU), End], ""),
    cue(
        Anybody,
        PRAISED,
        &[
            Is("not never"),
            Any(1),
            Is("ask wish hope"),
            Is("for"),
            Is("a"),
            Is("better nicer sweeter"),
            Is("bot buddy companion friend robot"),
        ],
        "",
    ),
    cue(
        Anybody,
        PRAISED,
        &[
            Is("wish ask hope want imagine"),
            Is("for"),
            Any(2),
            Is("better nicer sweeter"),
            Any(2),
            Is("than"),
            Is(YOU),
        ],
        "",
    ),
    cue(
        Anybody,
        PRAISED,
        &[
            Is("your such those these"),
            Maybe(ADVERBS),
            Is("adorable beautiful cute darling gorgeous lovely pretty precious sweet \
    wonderful handsome"),
            Any(1),
            Is(FEATURES),
        ],
        "his her their its",
    ),
    cue(
        Anybody,
        PRAISED,
        &[
            Is("what such"),
            Maybe("a an"),
            Is("adorable beautiful cute gorgeous lovely pretty sweet wonderful handsome"),
            Any(1),
            Is(FEATURES),
            Is(YOU),
        ],
        "",
    ),
    cue(
        Anybody,
        PRAISED,
        &[
            Is("what such"),
            Is("a an"),
            Maybe(ADVERBS),
            Is("angel charmer cutie darling gem sweetheart sweetie treasure"),
            Is("you"),
        ],
        "",
    ),
    cue(Anybody, PRAISED, &[Is("robbie robby robo"), Is("is"), Maybe(ADVERBS), Is(LOVABLE)], "dealer toy"),
    cue(
        Anybody,
        PRAISED,
        &[
            Start,
            Is(YOU),
            Maybe(ADVERBS),
            Is("absolute adorable charmer cutie darling gorgeous lovely precious sweet \
    sweetheart sweetie angel"),
            Any(2),
            Is(CREATURE),
        ],
        "",
    ),
    cue(
        Anybody,
        PRAISED,
        &[
            Start,
            Is(YOU),
            Maybe(ADVERBS),
            Is("charmer cutie darling angel sweetheart sweetie sweetness treasure gem star \
    legend beauty"),
            End,
        ],
        "",
    ),
    cue(
        Anybody,
        PRAISED,
        &[
            Is("my"),
            Maybe(ADVERBS),
            Is("handsome sweet good clever lovely brave pretty precious beautiful darling \
    dear"),
            Maybe("little old"),
            Is("boy robot bot robbie guy friend machine lad"),
        ],
        "his her vacuum",
    ),
    cue(
        Anybody,
        PRAISED,
        &[Is("my"), Maybe("dear sweet own little dearest precious"), Is(ENDEARMENT), End],
        "",
    ),
    cue(
        Anybody,
        PRAISED,
        &[Start, Is("gorgeous beautiful handsome sweetie cutie darling sweetheart sunshine"), Last],
        "",
    ),
    cue(
        Anybody,
        PRAISED,
        &[
            Is(YOU),
            Any(1),
            Is("brighten brightened warm warmed lift lifted light lighten lit cheer complete \
    completed melt melted stole stolen touched captured won"),
            Any(3),
            Is("day days evening heart home house life me mood morning my room soul spirits \
    us"),
        ],
        "mess",
    ),
    cue(
        Anybody,
        PRAISED,
        &[Is(YOU), Maybe(REALLY), Is(ARE), Maybe(ADVERBS), Is("to of"), Maybe("me"), Is("me mine us family")],
        "",
    ),
    cue(
        Anybody,
        PRAISED,
        &[
            Is(YOU),
            Maybe(REALLY),
            Is(ARE),
            Is("one part"),
            Is("of"),
            Maybe("the our my this"),
            Is("family us team"),
        ],
        "",
    ),
    cue(
        Anybody,
        PRAISED,
        &[
            Is(YOU),
            Maybe(REALLY),
            Is(ARE),
            Maybe("really so absolutely truly such"),
            Is("the my our"),
            Any(4),
            Is("ever earth world universe town planet house life galaxy me"),
        ],
        "worst stupidest slowest dumbest loudest clumsiest pain problem useless",
    ),
    cue(
        Anybody,
        PRAISED,
        &[Is("best nicest loveliest sweetest"), Is("thing"), Any(3), Is("happened"), Any(3)],
        "",
    ),
    cue(
        Anybody,
        PRAISED,
        &[Is(YOU), Maybe(REALLY), Is(ARE), Maybe(ADVERBS), Is(LOVABLE)],
        "at idiot liar nuisance pain talker not if",
    ),
    cue(Anybody, PRAISED, &[Is(YOU), Is("look seem sound"), Maybe(ADVERBS), Is(LOVABLE)], "at"),
    cue(Anybody, PRAISED, &[Is(YOU), Is("have"), Is("such the"), Any(1), Is(LOVABLE)], "at"),
    cue(Anybody, PRAISED, &[Is(YOU), Maybe("little old silly tiny"), Is(SWEET), Any(1), Is(ROBOT)], ""),
    cue(
        Anybody,
        PRAISED,
        &[Is(YOU), Maybe("little old silly tiny"), Is(SWEET), Any(1), Is("creature fellow friend guy thing")],
        "to",
    ),
    cue(
        Anybody,
        PRAISED,
        &[Is("my such what"), Maybe("a little own"), Is(SWEET), Maybe(ADVERBS), Is(ROBOT)],
        "vacuum",
    ),
    cue(
        Anybody,
        PRAISED,
        &[Start, Maybe(ADVERBS), Is(SWEET), Maybe(ADVERBS), Is(ROBOT), Is("alive ever i in of on there")],
        "",
    ),
    cue(Anybody, PRAISED, &[Start, Maybe(ADVERBS), Is(SWEET), Maybe(ADVERBS), Is(ROBOT), End], ""),
    cue(Anybody, PRAISED, &[Is("how so"), Is(SWEET), Is(YOU), Maybe(REALLY), Is(ARE)], ""),
    cue(
        Anybody,
        PRAISED,
        &[Is(YOU), Maybe(ADVERBS), Is("mean"), Maybe(ADVERBS), Is("everything lot more much world")],
        "",
    ),
    cue(Anybody, PRAISED, &[Is(YOU), Any(2), Is("my"), Is("heart soul")], ""),
    cue(
        Anybody,
        PRAISED,
        &[Is(YOU), Maybe(REALLY), Is(ARE), Any(4), Is("of"), Is("my"), Is("eye heart life")],
        "",
    ),
    cue(
        Anybody,
        PRAISED,
        &[Is(YOU), Maybe(REALLY), Is(ARE), Is("one"), Is("in of"), Is("a"), Is("kind million")],
        "",
    ),
];
