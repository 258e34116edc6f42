//! How one tells of making something up, or asks for it, in ways that one kind of work has of its own.

use super::Doer::{Anybody, Together};
use super::Slot::{Any, End, Is, Maybe, Start};
use super::creative::{ELSEWHERE, MADE, NOT_MADE};
use super::{Cue, Words, ahead};

const ASKED: Words = "fairytale haiku joke limerick lullaby poem puns pun rap rhyme rhymes riddle \
    slogan song sonnet stories story tale verse names nickname ideas jingle \
    melody";

pub(super) const CUES: &[Cue] = &[
    ahead(
        Together,
        MADE,
        &[
            Is("build building built"),
            Any(3),
            Is("bridge garden machine railway run track town village"),
            Any(1),
        ],
        "wants",
    ),
    ahead(Anybody, MADE, &[Is("once"), Is("upon"), Is("a")], ""),
    ahead(Anybody, MADE, &[Is("roses"), Is("are"), Is("red")], ""),
    ahead(Anybody, MADE, &[Is("riddle"), Is("me")], ""),
    ahead(
        Anybody,
        MADE,
        &[
            Is("should shall could"),
            Any(2),
            Is("ballad band character dragon hero heroine novel plot poem song story tale \
    villain"),
            Any(3),
            Is("be begin called continue do end go happen named next rhyme sound start"),
        ],
        "",
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("learn learning practise practising practicing practice took take"),
            Maybe("my some the to play up"),
            Is("accordion banjo bass calligraphy cello clarinet drums flute guitar juggling \
    magic piano saxophone trumpet ukulele violin"),
        ],
        "",
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("give find"),
            Any(4),
            Is("a another"),
            Any(1),
            Is("name nickname title voice costume tune prompt"),
        ],
        "your number email",
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("learn learning practise practice practising practicing rehearse rehearsing \
    perform"),
            Any(3),
            Is("trick choreography dance song riff tune piece juggle scene sonata lines part \
    chords solo"),
        ],
        "hard",
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("say answer talk speak tell something reply"),
            Any(3),
            Is("in"),
            Is("rhyme rhymes verse riddles"),
        ],
        "",
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("show see look hear read at"),
            Maybe("you me us at to"),
            Is("my our"),
            Any(2),
            Is("animation ballad carving cartoon collage comic costume doodle drawing haiku \
    invention melody mosaic mural novel origami painting poem pottery puppet rap \
    riff sculpture sketch song sonnet story tune verse watercolor watercolour"),
        ],
        "news",
    ),
    ahead(Together, MADE, &[Is("finger face"), Is("painting")], ""),
    ahead(
        Together,
        MADE,
        &[
            Is("build building built"),
            Any(4),
            Is("boat castle den fort igloo kite lego model puppet raft rocket robot \
    sandcastle snowman spaceship tower treehouse birdhouse dollhouse maze domino \
    blanket"),
        ],
        "wants",
    ),
    ahead(
        Anybody,
        MADE,
        &[
            Is("my our the"),
            Any(1),
            Is("novel painting poem song story"),
            Is("is"),
            Is("done finished ready"),
        ],
        "same",
    ),
    ahead(
        Anybody,
        MADE,
        &[
            Start,
            Maybe("spent all the day"),
            Is("carving composing crocheting designing drawing knitting painting sculpting \
    sewing sketching"),
        ],
        NOT_MADE,
    ),
    ahead(Together, MADE, &[Is("to us"), Is("dance jam sing")], ELSEWHERE),
    ahead(Together, MADE, &[Is("we"), Is("draw invent jam paint sing write")], NOT_MADE),
    ahead(
        Together,
        MADE,
        &[Is("tell told"), Any(2), Is("a another some"), Any(2), Is("joke jokes riddle stories story tale")],
        NOT_MADE,
    ),
    ahead(
        Together,
        MADE,
        &[Is("hear"), Is("a another my"), Any(2), Is("joke poem riddle song story")],
        NOT_MADE,
    ),
    ahead(
        Together,
        MADE,
        &[Is("brainstorm choreograph compose compos doodle doodl freestyle improvise \
    improvis invent jammed jamming painted paint paints sculpt sketch \
    songwriting improv")],
        NOT_MADE,
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("afternoon am are been busy day enjoy evening hour hours i keep like love \
    morning night spent start started was we weekend were while off feel try \
    tried"),
            Maybe("just busy still like now"),
            Is("carving composing crocheting designing drawing knitting painting sculpting \
    sewing sketching"),
        ],
        NOT_MADE,
    ),
    ahead(
        Together,
        MADE,
        &[Is("carved crocheted embroidered knitted sculpted sewed sewn crochet pottery \
    origami")],
        NOT_MADE,
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("draw drew drawing drawn"),
            Maybe("me us you up"),
            Is("a an another cartoons my our pictures some something this together with you"),
        ],
        NOT_MADE,
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("design designed designing redesign"),
            Maybe("me us"),
            Is("a an another my new our some something the this"),
        ],
        NOT_MADE,
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("writing wrote write"),
            Maybe("some"),
            Is("music fiction poetry together creatively dialogue rhymes"),
        ],
        "",
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("made make making think thought thinking dream dreaming dreamed"),
            Is("up"),
            Is("a an another new our silly some something songs stories words your the"),
        ],
        NOT_MADE,
    ),
    ahead(Together, MADE, &[Is("make made making"), Is("something one stuff"), Any(1), Is("up")], NOT_MADE),
    ahead(
        Together,
        MADE,
        &[
            Is("came come coming"),
            Is("up"),
            Is("with"),
            Any(4),
            Is("concept design ending idea ideas line melody name names plot rhyme theme \
    title tune"),
        ],
        NOT_MADE,
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("bounce give help need suggest throw toss any spin"),
            Any(4),
            Is("ideas names slogan theme title"),
            Is("for around with about of"),
        ],
        "on",
    ),
    ahead(
        Together,
        MADE,
        &[Is("be feel feeling get got getting something"), Any(1), Is("artistic creative inspired")],
        "",
    ),
    ahead(
        Anybody,
        MADE,
        &[
            Start,
            Maybe(
                "a an another few five for four funny maybe more new one short silly small \
    some ten three two bedtime quick scary rude tiny long",
            ),
            Is(ASKED),
            Is("about for from in on please where with"),
        ],
        "behind same",
    ),
    ahead(
        Anybody,
        MADE,
        &[
            Is("about for"),
            Is("a another some"),
            Any(2),
            Is("game joke limerick painting poem song story haiku riddle"),
            End,
        ],
        "same",
    ),
    ahead(Together, MADE, &[Is("rhyme rhymes rhyming"), Is("a me on something this us with words")], ""),
    ahead(
        Together,
        MADE,
        &[
            Is("paint painted painting"),
            Any(5),
            Is("animals flowers mural murals patterns pictures portrait rainbow stars"),
        ],
        "",
    ),
    ahead(
        Together,
        MADE,
        &[Is("do doing did had have hold need run start"), Any(3), Is("brainstorm improv singalong")],
        "",
    ),
    ahead(
        Anybody,
        MADE,
        &[Is("my our"), Is("own"), Any(1), Is("design invention poem song tune composition recipe")],
        "",
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("art band craft drawing improv jam painting writing pottery music"),
            Is("class evening practice project rehearsal session workshop night"),
        ],
        "",
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("let"),
            Is("us"),
            Is("build create dance design doodle draw imagine invent jam paint pretend sing \
    sketch write craft improvise"),
        ],
        NOT_MADE,
    ),
    ahead(
        Together,
        MADE,
        &[Is("dance danced dancing jam sing singing sang draw write paint"), Is("along me together us with")],
        "down",
    ),
];
