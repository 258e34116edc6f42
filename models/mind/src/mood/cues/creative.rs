//! How one tells of making something up, or asks for it, by the verbs and the works of all arts.

use super::Doer::{Anybody, Together};
use super::Slot::{Any, Is, Maybe, Start};
use super::{Cue, Words, ahead};

/// Verbs that need something made to go with them.
const MAKE: Words = "arrange arrang adapt animate coming came come compose compos composed \
    continue create creat design dream draw drawn drew edit film finish give \
    help hum illustrate illustr improvise improvis invent made make mak need \
    paint perform polish practice practise publish record rehearse rehears \
    rewrite rewrote sang sing sketch start think want work write writ writing \
    written wrote build built do try rhyme have began begin knitted choreograph \
    fancy suggest find pick craft";
const WORK: Words = "ballad cartoon chorus collage comic contraption costume doodle drawing fable \
    fairytale haiku invention jingle joke limerick logo lullabies lullaby lyric \
    lyrics melodies melody mosaic mural musical nickname novel opera origami \
    painting poem poetry portrait poster puppet rap rhyme riddle riff screenplay \
    sculpture sketch slogan song sonnet stories story tale tune verse watercolor \
    watercolour choreography pun superhero jingl tagline remix motto caption \
    acrostic anagram arrangement aria beatbox composition costumes crossword \
    embroidery fanfic figurine flipbook graffiti illustration improv limericks \
    lino linocut macrame masterpiece memoir metaphor monologue palindrome parody \
    pantomime pinata playlet puppets quilt rebus saga satire sequel serenade \
    skit soundtrack spoof storyboard stopmotion treehouse waltz watercolors zine";
/// Verbs that leave no doubt, and what is made with them alone.
const WRITE: Words = "compose compos create creat design draw drawn drew film invent sketch write \
    writ writing written wrote record make made mak rehears rehearse illustrate \
    brainstorm finish build built";
const PIECE: Words = "act album animation beat blog book character chapter dance demo dragon \
    episode game hero landscape language magic monster name names picture play \
    plot scene script solo spaceship speech title track villain vows castle fort \
    treehouse den lines memoir menu outfit dress mask map creature theme rhythm \
    lego instrument sculpture model cake doll essay fantasy figurine ghost film \
    movie clip kite lantern miniature mobile pattern pot prank quiz recipe scarf \
    show theatre trick vase video app article bead beads birdhouse board boat \
    bowl bracelet card cards clay collage concept craft crafts dialogue \
    dollhouse flag flyer flyers font handshake harmony hat igloo intro jewellery \
    jewelry joke labyrinth letter mascot maze medley music necklace number \
    origami ornament outro paint photo plane pottery quote raft rocket \
    sandcastle secret ship shirt shirts snowman spoon sweater tshirt website \
    word world";
/// "Same old story", "draw the curtains", "paint the fence".
pub(super) const NOT_MADE: Words = "attention bath bathroom bed blinds blood breath ceiling conclusion curtain \
    curtains difference door excuse excuses fence finger garage hallway kitchen \
    mess mind nail nails radiator shed sense straw straws toast traffic wall \
    walls window sure bedroom same read listen news board check checklist email \
    form gate lots lottery mail message note number report shopping soul invoice \
    tax list down bill line balcony house plumber offer proposal quote contract \
    estimate letters room rooms";
/// The same for works.
const UNMADE: Words = "attention bathroom bed curtain curtains email excuse fence house list lost \
    mail mind news out price read same walls window";
/// Verbs of an art that need nothing to go with them.
const ART: Words = "animating beatboxing brainstorming carving choreographing collaging \
    composing crafting crocheting dancing decorating designing doodling drawing \
    embroidering filming freestyling improvising inventing jamming juggling \
    knitting painting photographing rapping rehearsing rhyming sculpting sewing \
    sketching songwriting storyboarding weaving whittling woodcarving miming \
    scrapbooking quilting";
/// The same, done.
const ARTED: Words = "animated beatboxed brainstormed carved choreographed composed crocheted \
    decorated doodled drew embroidered filmed freestyled improvised invented \
    jammed juggled knitted painted photographed rapped rehearsed rhymed sculpted \
    sewed sewn sketched storyboarded wove whittled";
/// Words of making, that need a work.
const SHAPED: Words = "bake baked baking brewed cut cutting decorate decorating fold folded folding \
    glue glued gluing ice icing mold mould moulded mix mixed print printed \
    printing shape shaped shoot shooting shot spin threw throwing tie weave \
    weaving wove";
const SHAPES: Words = "airplane animals birds boat bowl butterflies cake castle clay comic crane \
    cranes cupcakes dragon film flowers gingerbread hearts hedgehog mask masks \
    mobile movie origami paper plane planes pot puppet scene snowflakes song \
    stars swan track vase video beat";
pub(super) const MADE: &str = "that something is being made up";
pub(super) const ELSEWHERE: Words = "quiet loud loudly softly quietly relaxing album along attention dead fair fire food hair jazz movie music part \
    playlist podcast radio role safe song songs speaker track trick tricks video \
    volume word dumb down";

pub(super) const CUES: &[Cue] = &[
    ahead(
        Anybody,
        MADE,
        &[
            Start,
            Maybe(
                "spent some all just been out still now me the kids and i we you morning day \
    busy",
            ),
            Is(ART),
        ],
        NOT_MADE,
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("am are been be enjoy like love started start tried try was were is keep kept \
    spent"),
            Any(2),
            Is(ART),
        ],
        NOT_MADE,
    ),
    ahead(Together, MADE, &[Is(ARTED), Any(2)], NOT_MADE),
    ahead(Together, MADE, &[Is(SHAPED), Any(7), Is(SHAPES)], "bill cost"),
    ahead(
        Together,
        MADE,
        &[
            Is("working work started starting begun finished finish finishing painting wrote \
    writing write inking"),
            Maybe("on off with"),
            Any(4),
            Is(WORK),
        ],
        NOT_MADE,
    ),
    ahead(
        Anybody,
        MADE,
        &[
            Is("my our"),
            Any(3),
            Is(WORK),
            Any(3),
            Is("is are has have"),
            Any(3),
            Is("done finished ready sewn written painted half almost together complete glued \
    inked progress"),
        ],
        "order",
    ),
    ahead(Together, MADE, &[Is("finish finished stopped resumed continue continued"), Is(ART)], NOT_MADE),
    ahead(Together, MADE, &[Is(MAKE), Any(5), Is(WORK)], UNMADE),
    ahead(Together, MADE, &[Is(WRITE), Any(4), Is(PIECE)], NOT_MADE),
    ahead(
        Together,
        MADE,
        &[Is("decorate decorated decorating dress icing"), Is("a an the our my me up")],
        "as wound table salad",
    ),
    ahead(
        Anybody,
        MADE,
        &[
            Is("got have here want"),
            Maybe("is you to hear for"),
            Is("a another my one some new"),
            Any(1),
            Is("haiku joke limerick poem pun rap rhyme riddle song stanza story tune verse \
    idea"),
        ],
        "same old",
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("tell told crack cracked make sing read hear give write recite continue \
    finish improvise perform share"),
            Any(4),
            Is("joke jokes riddle riddles story stories poem poems tale song songs rhyme \
    rhymes something pun puns haiku limerick verse fairytale ballad lullaby"),
        ],
        "news same behind about newspaper what",
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("sing sang singing hum humming"),
            Maybe("me us along with for something a the"),
            Any(1),
            Is("silly something duet song songs together lullaby harmony me us carol carols \
    chorus"),
        ],
        ELSEWHERE,
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("think come dream cook make find suggest invent give help need name pick got \
    have want had"),
            Maybe("me us up of with for"),
            Any(3),
            Is("name names title nickname slogan idea ideas pun puns rhyme rhymes word words \
    character plot costume concept theme ending storyline lyrics prompt caption \
    chorus"),
            Is("for about that with around what to please"),
        ],
        "same notion clue no bad",
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("came come coming thought dreamed"),
            Is("up"),
            Any(1),
            Is("with"),
            Is("a an another some the new our this"),
        ],
        "excuse cold flu problem plan",
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("make making made"),
            Is("up"),
            Any(3),
            Is("song songs story stories rhyme rhymes joke jokes name names word words \
    language game dance poem"),
        ],
        "",
    ),
    ahead(
        Anybody,
        MADE,
        &[
            Start,
            Any(1),
            Is("choreography song poem costume painting mural script screenplay drawing \
    puppet model novel sculpture"),
            Is("is"),
            Maybe("almost half nearly finally now all"),
            Is("done finished ready painted written complete"),
        ],
        "",
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("do doing do did put putting perform try stage staging"),
            Maybe("on a an the some our little"),
            Any(2),
            Is("puppet magic karaoke improv pantomime musical charades origami pottery \
    crafts sketch show play trick tricks improvisation theatre theater craft art \
    painting drawing collage watercolours watercolors ceramics"),
        ],
        ELSEWHERE,
    ),
    ahead(
        Anybody,
        MADE,
        &[
            Is("ceramics pottery art drawing painting dance ballet improv writing sewing \
    acting singing photography guitar piano craft knitting poetry songwriting"),
            Is("class classes club course evening lesson night session slam workshop circle"),
        ],
        "is cancelled full school",
    ),
    ahead(
        Anybody,
        MADE,
        &[
            Is("story craft crafting jam art drawing painting music song dance game play \
    puzzle lego"),
            Is("time hour night"),
        ],
        "of zone every",
    ),
    ahead(
        Together,
        MADE,
        &[
            Is("let"),
            Is("us"),
            Any(1),
            Is("invent draw paint write sing dance jam play sketch craft build pretend \
    compose act rap improvise brainstorm doodle imagine rhyme create design make"),
        ],
        "dirty sure room plan money bed difference list clear",
    ),
    ahead(Together, MADE, &[Is("as"), Is("a"), Any(1), Is("poem rhyme haiku song limerick rap story")], ""),
    ahead(Together, MADE, &[Is("in"), Is("rhyme rhymes verse")], ""),
    ahead(
        Anybody,
        MADE,
        &[Is("time"), Is("for"), Any(2), Is("story song poem game dance joke riddle")],
        "of",
    ),
    ahead(Together, MADE, &[Is("join with"), Any(3), Is("karaoke jam duet dance singalong")], ""),
    ahead(
        Together,
        MADE,
        &[
            Is("made make making build built building craft created creating create shape"),
            Any(4),
            Is("out from of"),
            Any(1),
            Is("old box boxes shoebox shoeboxes socks toilet tin tins cans clay cardboard \
    paper lego wood felt scrap yarn wool papier snow sand recycled cork matches \
    bottle bottles leaves plasticine"),
        ],
        "",
    ),
    ahead(Together, MADE, &[Is("danced sang sung")], "along"),
    ahead(
        Anybody,
        MADE,
        &[
            Is("my our"),
            Any(2),
            Is("ballad cartoon collage comic doodle drawing haiku limerick lyrics melody \
    mosaic mural novel painting poem poems puppet screenplay sculpture sketch \
    song songs sonnet symphony watercolor watercolour"),
        ],
        "favorite favourite about deleted lost",
    ),
    ahead(Together, MADE, &[Is("act acting"), Is("out")], ""),
    ahead(
        Together,
        MADE,
        &[Is("should shall could"), Is("we i"), Is("call name christen")],
        "her him it them a the you",
    ),
    ahead(
        Anybody,
        MADE,
        &[
            Is("collage comic drawing mosaic mural novel painting poem puppet quilt scarf \
    sculpture song story"),
            Is("is are"),
            Any(1),
            Is("coming taking getting turning growing shaping"),
        ],
        "",
    ),
];
