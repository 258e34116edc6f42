//! How one tells of something discovered, or of news that astonish.

use super::Doer::{Anybody, Speaker};
use super::Slot::{Across, Any, End, Is, Maybe, More, Name, Start};
use super::learning::{ASKS, I, LATELY};
use super::{Cue, Words, cue};

const YOU: Words = "you";
const ASTONISHING: Words = "amazing astonishing big breaking crazy exciting fun huge incredible \
    interesting mad random strange surprising unbelievable weird wild cool";
const FINDERS: Words = "archaeologists astronomers biologists divers doctors historians nasa \
    researchers scientists they";
const FOUND: &str = "that you discovered something";
const NEWS: &str = "that there is news";
/// What one says to something unheard of.
const WONDER: Words = "astonishing astounding bonkers extraordinary fascinating incredible \
    mindblowing remarkable staggering unbelievable unreal stunning";
/// The same, said of everything else as well.
const WOW: Words = "amazing blimey cool crazy crikey cow geez goodness gosh heavens insane \
    interesting moly nuts omg ooh smokes strange weird whoa wild woah wow";
/// Words of facts and of news, not of what is for dinner.
const FACT: Words = "actually age alien ancient animal animals atom bacteria bees billion brain \
    brains century cells comet computer continent cures dinosaur dinosaurs \
    discovered discovery dna earth evolution eyes explain explained faster found \
    galaxy genes hearts history human humans invented island ants bats bear bird \
    birds butterflies butterfly chameleon chameleons crab crocodile crow crows \
    dolphin dolphins elephant elephants fish frog frogs giraffe giraffes honey \
    jellyfish mushroom mushrooms octopus owl penguin penguins snail snails snake \
    spider spiders tortoise tree turtle turtles wolves worms language light \
    lives longer magnetic mammal map mars million millions millionaire moon \
    moons nobody ocean older oldest percent planet planets plants published \
    research scientists shark shows signal space species speed star stars sun \
    taught telescope than third trees tunnel twice underground universe volcano \
    whale whales world thousand thousands years life teeming";
const PROVED: Words = "built cloned confirmed created cured decoded detected discovered dug found \
    grown identified invented photographed proved proven revived shown spotted \
    solved taught trained uncovered unearthed";

pub(super) const CUES: &[Cue] = &[
    cue(Anybody, NEWS, &[Start, Is("apparently"), More(3)], "not you"),
    cue(Anybody, NEWS, &[Is("news"), Is("flash")], ""),
    cue(Anybody, FOUND, &[Is("what such"), Is("a"), Any(1), Is("coincidence discovery find revelation")], ""),
    cue(Anybody, NEWS, &[Is("huh aha hm whoa"), Across(1), Is("so"), More(3)], ""),
    cue(
        Anybody,
        NEWS,
        &[
            Is("archaeologists astronomers biologists doctors historians nasa researchers scientists"),
            Any(1),
            Is("say said think suspect believe predict"),
            More(3),
        ],
        "i we you he she ok",
    ),
    cue(Anybody, NEWS, &[Is("mind"), Is("blowing boggling")], ""),
    cue(Anybody, NEWS, &[Is("newsflash")], ""),
    cue(Anybody, NEWS, &[Is("i"), Is("kid"), Is("you"), Is("not")], ""),
    cue(Anybody, NEWS, &[Is("secret"), Is("is"), Is("out")], ""),
    cue(Anybody, NEWS, &[Is("come came comes coming"), Is("to"), Is("light")], ""),
    cue(Anybody, NEWS, &[Start, Is("get hear"), Is("this"), End], ""),
    cue(Anybody, NEWS, &[Start, Is("surprise"), End], ""),
    cue(Anybody, NEWS, &[Is("getting got"), Is("married divorced engaged")], "in we"),
    cue(Anybody, NEWS, &[Is("believe imagine"), Is("that it this"), End], "not"),
    cue(Anybody, NEWS, &[Start, Is("breaking"), End], ""),
    cue(Anybody, NEWS, &[Start, Is("no"), Is("kidding joke lie"), End, Across(0), More(3)], "you i"),
    cue(Anybody, NEWS, &[Is("news"), Is("to"), Is("me us")], ""),
    cue(
        Speaker,
        FOUND,
        &[Is("found"), Is("a an"), Any(3), Is("behind beneath in inside under underneath")],
        "job parking seat spot buyer client customer",
    ),
    cue(
        Anybody,
        NEWS,
        &[
            Start,
            Is("how so"),
            Is("amazing bizarre cool curious fascinating incredible interesting odd peculiar \
    strange weird wild"),
            End,
            Across(0),
            More(4),
        ],
        "you your i",
    ),
    cue(
        Anybody,
        NEWS,
        &[Is("strange weird unbelievable incredible odd"), Across(0), Is("but"), Is("true")],
        "",
    ),
    cue(
        Anybody,
        NEWS,
        &[Is("god goodness gosh omg gracious"), Across(1), Is("he she somebody someone there they"), More(2)],
        "you",
    ),
    cue(Anybody, NEWS, &[Is("god goodness gosh omg gracious"), Across(1), Name, More(2)], "you"),
    cue(
        Anybody,
        NEWS,
        &[
            Start,
            Maybe("it that this is so absolutely really just how simply"),
            Is(WONDER),
            Across(1),
            Start,
            More(4),
        ],
        "you your",
    ),
    cue(
        Anybody,
        NEWS,
        &[Is(I), Is("can could"), Is("not"), Maybe("quite still even"), Is("believe"), Is("it that")],
        "you",
    ),
    cue(
        Anybody,
        NEWS,
        &[
            Start,
            More(5),
            Across(14),
            Start,
            Is("crazy bonkers insane mad mental nuts strange unreal weird wild"),
            Maybe("huh right is it"),
            End,
        ],
        "you your",
    ),
    cue(
        Anybody,
        NEWS,
        &[
            Start,
            Maybe("it that this is so absolutely really just how simply"),
            Is(WONDER),
            Across(12),
            Is("a are has have is lives there was were came"),
        ],
        "you your",
    ),
    cue(Anybody, NEWS, &[More(4), Across(14), Is(WONDER), End], "you your"),
    cue(Anybody, NEWS, &[Is(WOW), Across(10), Is(FACT)], "you your it"),
    cue(Anybody, NEWS, &[Is(FACT), Across(10), Is(WOW), End], "you your"),
    cue(
        Anybody,
        NEWS,
        &[
            Is("holy mother good"),
            Is("cow moly smokes grief heavens lord"),
            Across(3),
            Is("a an are can has have is light people that the there they"),
        ],
        "you",
    ),
    cue(Anybody, NEWS, &[Start, Is("no"), Is("way"), Across(2), Is("they the he she there a an that")], "am"),
    cue(Speaker, FOUND, &[Is("came stumbled"), Is("across upon")], "town street"),
    cue(Speaker, FOUND, &[Is("dug turned"), Is("up"), Any(1)], "volume heat"),
    cue(Anybody, FOUND, &[Is(FINDERS), Any(3), Is(PROVED)], ASKS),
    cue(
        Anybody,
        FOUND,
        &[
            Is("they people"),
            Maybe(LATELY),
            Is("discovered cloned invented detected unearthed decoded"),
            More(1),
        ],
        ASKS,
    ),
    cue(
        Anybody,
        FOUND,
        &[
            Is("dna experiment results study test"),
            Any(4),
            Is("confirmed held proved proves shows worked succeeded back show"),
        ],
        "car driving",
    ),
    cue(
        Anybody,
        FOUND,
        &[
            Is("experiment hypothesis theory"),
            Any(2),
            Is("worked held confirmed correct true proven succeeded"),
        ],
        "",
    ),
    cue(
        Speaker,
        FOUND,
        &[
            Is("found"),
            Any(3),
            Is("bone coin comet cave diary fossil letters meteorite nest nugget skeleton \
    shipwreck treasure tunnel tomb passage room map mistake"),
        ],
        "",
    ),
    cue(
        Anybody,
        FOUND,
        &[Is("first"), Any(2), Is("i we"), Maybe("have had"), Is("ever"), Is("seen saw")],
        "",
    ),
    cue(Anybody, NEWS, &[Is("am are is"), Maybe(LATELY), Is("engaged pregnant")], "in with"),
    cue(Anybody, NEWS, &[Is("never"), Is("would"), Is("have"), Is("guessed thought")], ""),
    cue(Anybody, NEWS, &[Is("would"), Is("never"), Is("have"), Is("guessed thought")], ""),
    cue(Anybody, NEWS, &[Start, Is("no"), Is("way"), End], ""),
    cue(Anybody, NEWS, &[Is("did"), Is(YOU), Maybe("ever already even"), Is("hear know"), More(3)], ASKS),
    cue(Anybody, NEWS, &[Is("did"), Is(YOU), Maybe("ever already even"), Is("hear know"), End], ASKS),
    cue(Anybody, NEWS, &[Is("have"), Is(YOU), Maybe("ever already"), Is("heard")], ASKS),
    cue(Anybody, NEWS, &[Is("guess"), Is("how what who")], "time"),
    cue(
        Anybody,
        NEWS,
        &[
            Is(YOU),
            Is("will would are is"),
            Maybe("going to"),
            Is("never not"),
            Any(2),
            Is("believe guess imagine"),
        ],
        "in me",
    ),
    cue(Anybody, NEWS, &[Is(YOU), Is("never"), Is("believe guess")], "in me"),
    cue(Anybody, NEWS, &[Is("never"), Is("believe guess"), Is("how what who")], ""),
    cue(Anybody, NEWS, &[Is("believe"), Is("it"), Is("or"), Is("not")], ""),
    cue(Anybody, NEWS, &[Is("can"), Is(YOU), Is("believe imagine")], "him her them"),
    cue(Anybody, NEWS, &[Is(ASTONISHING), Is("fact facts news discovery")], ""),
    cue(Anybody, NEWS, &[Is("who"), Is("knew")], ""),
    cue(Anybody, NEWS, &[Is("who"), Is("would"), Is("have"), Is("guessed known thought")], ""),
    cue(Anybody, NEWS, &[Is("plot"), Is("twist")], ""),
    cue(Anybody, NEWS, &[Is("mind"), Maybe("is was"), Is("blown")], ""),
    cue(Anybody, NEWS, &[Is("blew blown blows"), Is("my"), Is("mind")], ""),
    cue(
        Anybody,
        NEWS,
        &[Is("turns turned"), Is("out")],
        "better worse fine good great lights nice ok okay right well",
    ),
    cue(
        Anybody,
        NEWS,
        &[Is("nobody none one"), Any(1), Is("guessed knew noticed realised realized suspected")],
        "",
    ),
    cue(
        Anybody,
        NEWS,
        &[Is("having expecting"), Is("a triplets twins"), Maybe("baby")],
        "bad break coffee good hard nap party shower bath beer drink look meeting \
    parcel package call letter",
    ),
    cue(Speaker, FOUND, &[Is("figured found worked"), Maybe("it"), Is("out")], "at gym"),
    cue(Anybody, FOUND, &[Is(I), Maybe(LATELY), Is("find finding figure"), Maybe("it"), Is("out")], "at gym"),
    cue(Speaker, FOUND, &[Is("discover discovered unearthed stumbled uncovered")], ASKS),
    cue(
        Anybody,
        FOUND,
        &[Is("what"), Is(I), Maybe(LATELY), Is("discovered dug found learned noticed spotted")],
        "",
    ),
    cue(
        Anybody,
        FOUND,
        &[
            Is(FINDERS),
            Maybe(LATELY),
            Is("detected discovered dug found"),
            Any(1),
            Is("a an another evidence life new out that water"),
        ],
        ASKS,
    ),
    cue(
        Speaker,
        FOUND,
        &[
            Is("found"),
            Any(5),
            Is("ancient attic behind beneath buried fossil hidden inside old rare secret \
    treasure underneath under"),
        ],
        "it keys my your glasses remote",
    ),
    cue(Anybody, FOUND, &[Start, Is("eureka")], ""),
];
