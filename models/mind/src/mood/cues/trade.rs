//! How one tells of trade in its own words: orders and approvals on paper, payment services, plans that were upgraded,
//! paying users, leads, raises. What the speaker spends is not looked for.

use super::Doer::{Anybody, Others, Speaker};
use super::Slot::{Any, End, Is, Maybe, More, Name, Start, Sum};
use super::money::{ALREADY, BUYER, OURS, THEIRS};
use super::{Cue, Words, ahead, cue};

/// Where money or orders come in by wire.
const SERVICE: Words = "adsense airbnb bandcamp ebay etsy gofundme gumroad kickstarter klarna patreon paypal \
    shopify stripe substack twint venmo vinted";
const RANG: Words = "buzzed chimed credited crossed deposit deposited ding dinged hit landed notification paid \
    passed payment payout pinged released reached sale sent transfer";
/// What comes on paper.
const PAPER: Words = "countersignature enquiries enquiry inquiries inquiry po preorder preorders \
    renewal renewals reorder reorders remittance signature signups upgrade upgrades";
const CAME: Words = "approved arrived came closed confirmed done in landed locked \
    paid received signed through";
/// What somebody has to agree to.
const PLAN: Words = "bid budget budgets estimate expenses fee funding headcount invoice loan offer \
    overtime pitch price pricing proposal quotation quote rate raise retainer scope subsidy tender terms";
const AGREED: Words = "accepted agreed approved confirmed granted greenlighted greenlit okayed \
    passed signed through";
const CLIENT: Words = "angel backer buyer client clients customer customers dealer distributor investor investors \
    merchant partner prospect reseller retailer sponsor subscriber tenant vc wholesaler";
const USERS: Words = "accounts backers clients customers followers installs licences licenses members patrons \
    seats subs subscribers subscriptions supporters users";
const RAISE: Words = "bonus payrise promotion raise";
const AGAIN: Words = "today yesterday already again";
const TIMES: Words = "double fivefold tenfold threefold triple twice up";
const NOT_OURS: Words = "roof her him his they their them she he no none";
const DEAL: &str = "that a deal was won";
const PAID: &str = "that money came in";
const UP: &str = "that business is growing";
const AT_HAND: &str = "that a sale is at hand";

pub(super) const CUES: &[Cue] = &[
    cue(Anybody, PAID, &[Is(SERVICE), Any(4), Is(RANG)], "costs fee charged bill order failed declined down"),
    cue(
        Speaker,
        PAID,
        &[
            Is("got received made earned"),
            Any(4),
            Is("paypal paypals stripe etsy ebay venmo patreon twint adsense airbnb"),
        ],
        "account bill app problem spam working email login password an",
    ),
    cue(Anybody, DEAL, &[Is(PAPER), Maybe(ALREADY), Any(2), Is(CAME)], "cancel down no"),
    cue(
        Anybody,
        DEAL,
        &[Is("purchase"), Is("order orders"), Any(3), Is("arrived came for from here in landed signed")],
        "no",
    ),
    cue(
        Anybody,
        DEAL,
        &[Is("po order orders contract signature payment"), Any(4), Is("inbox")],
        "unsigned food pizza",
    ),
    cue(
        Speaker,
        DEAL,
        &[
            Is("got have received"),
            Any(3),
            Is("po reorder preorder renewal renewals signature signatures enquiry inquiry"),
        ],
        "no petition",
    ),
    cue(Anybody, DEAL, &[Is(PLAN), Maybe(ALREADY), Any(1), Is(AGREED)], NOT_OURS),
    cue(
        Others,
        DEAL,
        &[Is("accepted approved greenlit greenlighted granted okayed"), Any(4), Is(PLAN)],
        THEIRS,
    ),
    cue(
        Speaker,
        DEAL,
        &[Is("got secured received"), Any(4), Is("approval budget signoff signature goahead")],
        "no on tight small travel of",
    ),
    cue(Speaker, DEAL, &[Is("upsold crosssold resold outsold")], ""),
    cue(
        Speaker,
        DEAL,
        &[
            Is("converted upsell upselling onboarded"),
            Any(4),
            Is("lead leads trial trials prospect prospects plan tier package premium enterprise pro annual \
    yearly client customer customers users"),
        ],
        "phone my our",
    ),
    cue(
        Others,
        DEAL,
        &[
            Is("upgraded upgrading switched renewed renewing extended extending prolonged"),
            Maybe("to for their the a its up"),
            Any(2),
            Is(
                "account annual business contract enterprise licence license membership package plan premium \
    pro retainer subscription tier year years yearly",
            ),
        ],
        "my",
    ),
    cue(
        Speaker,
        DEAL,
        &[
            Is("upgraded moved switched talked"),
            Is("clients customers her him them three two"),
            Any(3),
            Is("annual enterprise package plan premium pro tier yearly"),
        ],
        "",
    ),
    cue(
        Anybody,
        PAID,
        &[Is(SERVICE), Any(7), Is("arrived came cleared dropped"), Maybe("in through")],
        "costs bill package parcel",
    ),
    cue(Others, DEAL, &[Is(BUYER), Any(4), Is("want wants"), Is("my our"), Any(1)], "help attention number"),
    cue(
        Others,
        DEAL,
        &[
            Is("buying renting leasing ordering"),
            Any(2),
            Is("collection entire everything lot series stock whole"),
        ],
        "",
    ),
    cue(Anybody, UP, &[Is("am are is became turned"), Maybe(ALREADY), Is("profitable")], ""),
    cue(Anybody, PAID, &[Is("sold went"), Is("above over for"), Any(1), Is("asking")], ""),
    cue(Others, PAID, &[Is("left dropped slipped"), Any(1), Is(OURS), Any(4), Is("tip tips")], THEIRS),
    cue(
        Others,
        UP,
        &[
            Is("doubled tripled quadrupled increased extended"),
            Any(1),
            Is("budget commitment contract donation order orders retainer subscription"),
        ],
        "my",
    ),
    cue(
        Others,
        UP,
        &[
            Is("backers clients customers donors followers guests patrons sponsors subscribers"),
            Any(4),
            Is("more better"),
            Is("than"),
            Is("ever expected forecast last planned"),
        ],
        "complain",
    ),
    cue(Anybody, UP, &[Is("paying paid premium"), Is(USERS)], "no"),
    cue(
        Others,
        DEAL,
        &[
            Is("companies firms people schools students users visitors"),
            Any(2),
            Is("booked enrolled preordered registered signed subscribed"),
        ],
        "off petition language",
    ),
    cue(Speaker, DEAL, &[Is("sell"), Any(4), Is("today yesterday already")], "me soul"),
    cue(Speaker, DEAL, &[Is("selling sell"), Any(2), Is("like"), Is("hot crazy mad")], ""),
    cue(
        Others,
        DEAL,
        &[Is(CLIENT), Maybe(ALREADY), Is("accept buy order pay renew sign"), Any(4), Is(AGAIN)],
        "me",
    ),
    cue(
        Others,
        DEAL,
        &[
            Is(CLIENT),
            Is("is are has have"),
            Maybe("all now officially finally in very"),
            Is("in aboard onboard interested keen committed convinced hooked sold"),
            End,
        ],
        "partner tenant",
    ),
    cue(
        Anybody,
        DEAL,
        &[Is(CLIENT), Any(3), Is("board boarded onboard onboarded aboard onboarding")],
        "meeting member lost",
    ),
    cue(
        Anybody,
        DEAL,
        &[
            Is("angel bridge funding seed series investment"),
            Maybe("a b c"),
            Is("round money"),
            Any(3),
            Is("closed complete done filled in oversubscribed signed wired raised"),
        ],
        "",
    ),
    cue(
        Others,
        PAID,
        &[Is("paid pays"), Maybe("it all the bill"), Is("up in"), Maybe("full advance"), End],
        "",
    ),
    cue(Others, PAID, &[Is("paid pays"), Any(3), Is("in"), Is("full advance")], ""),
    cue(
        Anybody,
        UP,
        &[
            Is(
                "arr business earnings income margins mrr profit profits revenue revenues sales takings turnover",
            ),
            Maybe("is are was were this last the of for week month year quarter today figures numbers"),
            Is(TIMES),
        ],
        "",
    ),
    cue(Anybody, UP, &[Is("recurring monthly annual"), Is("revenue income"), More(1)], "what how"),
    cue(
        Anybody,
        UP,
        &[
            Is("sales revenue profit numbers figures takings quarter month"),
            Maybe("this last the of for week month year quarter today figures numbers"),
            Is("is are look looks were was came"),
            Maybe("in really so very looking"),
            Is(
                "amazing brilliant excellent fantastic good great healthy incredible outstanding positive solid \
    strong superb terrific",
            ),
        ],
        "phone",
    ),
    cue(
        Anybody,
        AT_HAND,
        &[
            Is("hot inbound new promising qualified solid warm good big couple few two three four five ten"),
            Maybe("new hot warm of inbound good qualified sales"),
            Is("lead leads prospect prospects enquiry enquiries inquiry inquiries referral referrals"),
        ],
        "no singer role dog",
    ),
    cue(
        Speaker,
        PAID,
        &[
            Is("got get getting given negotiated received"),
            Maybe("me us finally a an my the that nice big small huge"),
            Any(2),
            Is(RAISE),
        ],
        "eyebrow no fever",
    ),
    cue(
        Others,
        PAID,
        &[Is("gave give gives giving offered offering approved"), Is(OURS), Any(4), Is(RAISE)],
        THEIRS,
    ),
    cue(
        Anybody,
        PAID,
        &[Is("my our"), Any(2), Is(RAISE), Any(2), Is("approved came confirmed granted through official")],
        "alarm",
    ),
    cue(Anybody, PAID, &[Is("pay salary wage"), Is("rise raise bump increase")], "no rent"),
    cue(Anybody, PAID, &[Is("tip"), Is("jar"), Any(3), Is("full overflowing heavy stuffed")], ""),
    cue(
        Anybody,
        PAID,
        &[Is("tips"), Is("is are were was"), Maybe("so really very"), Is("good great amazing")],
        "",
    ),
    cue(
        Speaker,
        PAID,
        &[Is("got earned made received"), Any(4), Is("tips donations commissions royalties allowance wages")],
        "no on for about",
    ),
    cue(Speaker, PAID, &[Is("got earned received"), Any(2), Is("pocket"), Is("money")], ""),
    cue(
        Speaker,
        PAID,
        &[Is("got received earned"), Any(1), Sum, Any(1), Is("for from")],
        "cost bill fine ticket",
    ),
    cue(
        Others,
        PAID,
        &[Is("tipped donated chipped pledged sponsored wired transferred paypaled venmoed"), Any(3), Sum],
        THEIRS,
    ),
    cue(Others, PAID, &[Is("paypaled venmoed zelled"), Is(OURS)], ""),
    cue(
        Speaker,
        DEAL,
        &[Is("am are got is"), Is("hired rehired preselected shortlisted contracted"), End],
        "",
    ),
    cue(
        Anybody,
        DEAL,
        &[Start, Maybe("we a verbal the finally"), Is("thumbs goahead"), Maybe("up"), Is("from")],
        "",
    ),
    cue(Others, DEAL, &[Is("gave given giving"), Any(2), Is("thumbs"), Is("up")], THEIRS),
    cue(Anybody, DEAL, &[Is("handshake verbal firm"), Is("deal yes commitment agreement order")], "no"),
    cue(
        Others,
        DEAL,
        &[Name, Maybe(ALREADY), Is("accepted approved subscribed upgraded invested")],
        "a him her his job new me their",
    ),
    ahead(
        Speaker,
        AT_HAND,
        &[
            Is("brief hop hopping heading jump jumping off prep prepping rehearse run walking joining on"),
            Any(5),
            Is("negotiation negotiations pitch buyer client customer investor investors prospect prospects"),
        ],
        "moved was yesterday cancel cancelled over",
    ),
];
