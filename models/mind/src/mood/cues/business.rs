//! How one tells that something was sold, that business grows, or that a sale is at hand.

use super::Doer::{Anybody, Others, Speaker};
use super::Slot::{Across, Any, Is, Maybe, Name, Sum};
use super::money::{ALREADY, US};
use super::{Cue, Words, ahead, cue};

const REVENUE: Words = "arr bookings earnings income margin mrr orders profit revenue sales takings \
    turnover business clicks clients customers donations downloads growth \
    kickstarter crowdfunding crowdfunder fundraiser fundraising memberships \
    numbers order revenues shares signups stock subscribers subscriptions";
const ROSE: Words = "above beat best better climbed climbing doubled exceeded grew growing grown \
    highest increased jumped passed reached record rising risen rose soared \
    tripled up over hit crossed boomed booming bounced broke exploded jumping \
    leapt outgrew outperformed quadrupled rocketed roof skyrocketed smashed \
    surged surpassed target";
const SALES: Words = "acquisition board budget business closing kickoff procurement purchasing \
    supplier sponsor tender buyer buyers client contract customer deal investor \
    negotiation pitch pricing prospect sales revenue";
const MEETING: Words = "date chat conference dinner interview session walkthrough appointment call demo \
    lunch meeting negotiation pitch presentation talk visit workshop";
const OVER: Words = "no boring cancel cancelled canceled postponed was were went yesterday moved";
const SOON: Words = "about at in is now soon starts today tomorrow tonight with to begins this \
    coming next for on are";
const SOLD: &str = "that something was sold";
const AT_HAND: &str = "that a sale is at hand";
const UP: &str = "that business is growing";
/// Who pays or buys, in a meeting.
const GUEST: Words = "buyer buyers client customer dealer distributor investor procurement \
    prospect purchaser sponsor wholesaler";

pub(super) const CUES: &[Cue] = &[
    cue(Others, SOLD, &[Is("sold sells"), Any(1), Is("my our")], ""),
    cue(Anybody, UP, &[Is("completely fully"), Is("booked")], "hotel flight train"),
    cue(
        Anybody,
        UP,
        &[
            Is("a another eight five four many more new nine seven six ten three two"),
            Any(1),
            Is("contracts deals leads sales signups"),
        ],
        "no",
    ),
    ahead(
        Anybody,
        AT_HAND,
        &[Is(GUEST), Across(6), Is("pitch present presentation close closing demo slides luck")],
        OVER,
    ),
    ahead(
        Anybody,
        AT_HAND,
        &[
            Is("pitch present presentation close closing demo slides luck prepare preparing"),
            Across(6),
            Is("buyers client customer investor investors tender prospect buyer"),
        ],
        OVER,
    ),
    cue(
        Anybody,
        SOLD,
        &[Is("is are got was were"), Maybe("all already finally now just"), Is("sold secured")],
        "out",
    ),
    cue(Anybody, SOLD, &[Is("sold"), Is("out")], "concert of"),
    cue(
        Speaker,
        SOLD,
        &[Is("completed delivered shipped"), Any(2), Is("client customer job order orders project")],
        "",
    ),
    cue(Others, SOLD, &[Is("ordered ordering orders bought"), Is("again another double more twice")], "food"),
    cue(Anybody, SOLD, &[Is("somebody someone"), Maybe(ALREADY), Is("bought ordered")], "for"),
    cue(Speaker, SOLD, &[Is("rented leased"), Is("out")], ""),
    cue(
        Anybody,
        SOLD,
        &[
            Is("bookings customers order orders preorders sales signups reservations"),
            Any(4),
            Is("arrived came coming pouring rolling flooding streaming lining queuing"),
        ],
        "",
    ),
    cue(
        Others,
        SOLD,
        &[Is("bought buys ordered purchased took"), Is("it both all everything one two three them"), Any(1)],
        "milk bread easy off out to seriously badly",
    ),
    cue(
        Others,
        SOLD,
        &[
            Is("take takes took wants bought buys ordered"),
            Any(3),
            Is("package bundle licence licences licenses collection subscription units \
    pieces copies"),
        ],
        "milk",
    ),
    ahead(
        Anybody,
        AT_HAND,
        &[
            Is("demo pitch presentation negotiation negotiations proposal"),
            Is("for with at to"),
            Any(1),
            Name,
        ],
        OVER,
    ),
    ahead(
        Speaker,
        AT_HAND,
        &[
            Is("calculate calculating draft drafting reviewing polishing prepare preparing \
    finishing updating going"),
            Any(3),
            Is("contract estimate invoice invoices offer proposal quote tender sales"),
        ],
        "from",
    ),
    cue(
        Anybody,
        UP,
        &[
            Is("above ahead over"),
            Maybe("of our the"),
            Is("target plan budget goal forecast quota expectations"),
        ],
        "",
    ),
    cue(Anybody, UP, &[Is("in"), Is("the"), Is("black")], "dressed man woman"),
    cue(Anybody, UP, &[Is("black green"), Is("figures numbers")], ""),
    cue(
        Anybody,
        UP,
        &[
            Is("best biggest busiest record strongest"),
            Any(1),
            Is("day month quarter week year"),
            Is("ever so yet since"),
        ],
        "of weather life",
    ),
    cue(Others, SOLD, &[Is("bought ordered purchased reserved booked"), Any(3), Is("my our"), Any(3)], "for"),
    cue(
        Others,
        SOLD,
        &[
            Is("bought purchased"),
            Any(2),
            Is("painting print photo book album jar mug i we"),
            Any(1),
            Is("i we online put made"),
        ],
        "",
    ),
    cue(Speaker, UP, &[Is("hit reach reached passed crossed topped"), Any(3), Sum], ""),
    cue(
        Speaker,
        UP,
        &[
            Is("grew grown growing doubled tripled"),
            Any(3),
            Is("percent business customers sales revenue third half profit"),
        ],
        "",
    ),
    cue(
        Anybody,
        SOLD,
        &[
            Is("dozen fifty first five four hundred six ten thousand thirty three twenty two \
    all last"),
            Any(5),
            Is("sold"),
        ],
        "me soul ticket",
    ),
    cue(Anybody, SOLD, &[Is("my our"), Any(4), Is("sold")], "me soul"),
    cue(Speaker, SOLD, &[Is("first"), Any(2), Is("sale order customer client commission booking")], "bought"),
    cue(
        Anybody,
        SOLD,
        &[
            Is("new more first online dozen five four hundred eleven ten ninety six three \
    twenty two"),
            Maybe("purchase new online"),
            Is("order orders bookings preorders signups subscribers purchases"),
            Any(1),
        ],
        "pizza food drinks takeaway",
    ),
    ahead(
        Speaker,
        AT_HAND,
        &[
            Is("meeting meet seeing visiting calling pitching demo presenting negotiating \
    negotiate haggling presentation talk talking"),
            Any(4),
            Is(GUEST),
        ],
        OVER,
    ),
    ahead(
        Anybody,
        AT_HAND,
        &[
            Is(GUEST),
            Maybe("is are will from the of who"),
            Any(3),
            Is("arrive arriving arrives coming comes visiting visits walks walking calling \
    rings ringing calls lands due waiting outside"),
        ],
        OVER,
    ),
    ahead(
        Anybody,
        AT_HAND,
        &[
            Is("negotiation negotiations pitch tender auction roadshow keynote sales"),
            Any(6),
            Is("start starts starting begins soon tomorrow today tonight minutes hour hours \
    noon oclock monday tuesday wednesday thursday friday"),
        ],
        OVER,
    ),
    ahead(
        Anybody,
        AT_HAND,
        &[
            Is("sales closing investor client customer buyer supplier contract price pricing \
    salary"),
            Maybe("kickoff big"),
            Is("appointment call calls conference demo meeting negotiation negotiations \
    pitch presentation talk talks visit"),
            Across(6),
            Is("at begins in minutes now soon starts today tomorrow tonight with morning \
    afternoon next about half ten noon"),
        ],
        OVER,
    ),
    ahead(
        Speaker,
        AT_HAND,
        &[Is("closing presenting signing"), Any(2), Is("contract deal offer proposal")],
        OVER,
    ),
    cue(Speaker, SOLD, &[Is("sold")], "me soul ticket tickets"),
    cue(Anybody, SOLD, &[Is("i we"), Maybe(ALREADY), Is("sold")], "me soul"),
    cue(Others, SOLD, &[Is("booked bought ordered reserved"), Any(2), Is("my our")], "for"),
    cue(Others, SOLD, &[Is("bought ordered ordering"), Any(4), Is("from"), Is(US)], ""),
    cue(
        Anybody,
        SOLD,
        &[Is("order orders sale sales bookings"), Maybe(ALREADY), Is("came come coming arrived in")],
        "pizza takeaway was",
    ),
    cue(Speaker, SOLD, &[Is("first a another"), Maybe("big online"), Is("sale")], "at on"),
    cue(Anybody, UP, &[Is(REVENUE), Any(4), Is(ROSE)], "down dropped fell hung gave people guy"),
    cue(
        Anybody,
        UP,
        &[
            Is(ROSE),
            Maybe("a our the my in new"),
            Is("month quarter revenue sales profit quota target turnover year"),
        ],
        "of school life time podcast",
    ),
    cue(
        Speaker,
        UP,
        &[Is("beat hit made reached smashed exceeded"), Any(2), Is("goal profit quota target")],
        "no",
    ),
    cue(Speaker, UP, &[Is("broke profitable"), Maybe("even")], "down leg my the arm a it up"),
    ahead(Anybody, AT_HAND, &[Is(SALES), Maybe("and team big review"), Is(MEETING), Any(2), Is(SOON)], OVER),
    ahead(
        Speaker,
        AT_HAND,
        &[
            Is("have got for into before to preparing prepare expecting off the my our"),
            Any(3),
            Is("sales client customer investor buyer"),
            Is(MEETING),
        ],
        OVER,
    ),
    ahead(
        Anybody,
        AT_HAND,
        &[
            Is(MEETING),
            Is("for with"),
            Any(3),
            Is("buyer client customer investor prospect buyers dealer sponsor"),
        ],
        OVER,
    ),
    ahead(
        Anybody,
        AT_HAND,
        &[
            Is("buyer client customer investor prospect"),
            Any(6),
            Is("door downstairs here minutes lobby waiting line"),
        ],
        OVER,
    ),
    ahead(
        Anybody,
        AT_HAND,
        &[
            Is("a big my our the"),
            Maybe("big final sales"),
            Is("pitch"),
            Any(3),
            Maybe(SOON),
            Is("at begins in now starts today tomorrow tonight"),
        ],
        OVER,
    ),
    ahead(
        Speaker,
        AT_HAND,
        &[Is("pitching negotiating pitch negotiate"), Maybe("to a the with our my"), Any(3)],
        "tent in black",
    ),
    ahead(
        Speaker,
        AT_HAND,
        &[
            Is("finishing on preparing sending sent writing wrote finished"),
            Any(2),
            Is("estimate invoice offer proposal quote tender contract deal"),
        ],
        "from",
    ),
];
