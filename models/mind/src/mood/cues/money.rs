//! How one tells that a deal was won or a customer came. Spending is not looked for.

use super::Doer::{Anybody, Others, Speaker};
use super::Slot::{Across, Any, End, Is, Maybe, Name, Start};
use super::{Cue, Words, cue};

pub(super) const ALREADY: Words = "all already also both did even fully finally had has have is are was were \
    been be just now officially really today at last got actually it";
pub(super) const US: Words = "me us";
/// Getting a deal, each in the past: what is still to be signed is not won.
const WON: Words = "agreed bagged clinched closed concluded countersigned finalised finalized \
    gained inked landed nailed renewed scored sealed secured signed signing \
    snagged struck won acquired attracted clinch nabbed negotiated recruited \
    regained retained upsold";
/// The same, where more than a deal may be had.
const GOT: Words = "booked brought collected earned extended found gained got have made picked \
    pulled reached received took welcomed wrapped";
const DEAL: Words = "account agreement bid booking buyer client commission contract customer deal \
    dealer distributor funding gig grant investment investor mandate order \
    partnership pilot project renewal retailer retainer sale sponsor sponsorship \
    subscriber subscription tender job reseller assignment award backer bidding \
    concession donation donor framework franchise licence license lease merger \
    pledge placement preorder promotion purchase signature signup supplier \
    tenancy tenant";
const NEW: Words = "another extra first five four more new second several ten third three two \
    paying six";
const CUSTOMER: Words = "account investor partner backer donor guest preorder project purchase signup \
    sponsor subscribers booking buyer client contract customer deal order sale \
    subscriber subscription commission regular member patron";
pub(super) const BUYER: Words = "agency bank buyer chain city client company council customer dealer \
    distributor everyone firm gallery guy he hospital hotel insurance investor \
    lady label museum partner people prospect publisher restaurant school she \
    shop somebody someone sponsor station subscriber supplier tenant they \
    theatre university woman man couple team agent airline airport authorities \
    bakery board boss brand brewery builder cafe charity church club college \
    committee community corporation director embassy employer factory family \
    farm farmer foundation fund gentleman government grocer hosts investors it \
    jury landlady landlord library manager manufacturer mayor merchant ministry \
    neighbour neighbor office organiser organizer owner parish pharmacy producer \
    region retailer sister startup state store stranger studio tourist town \
    tourists union visitor wholesaler winery";
/// Signing that brings no money.
const PAPERS: Words = "attendance autograph birthday book card cast divorce for form guest \
    guestbook in language lease my name off out package paper papers parcel \
    permission petition register slip up visitor nothing with";
/// "A great deal of", "a deal on shoes", "a deal of cards".
const NO_DEAL: Words = "cards good great of on offline real trouble hang call wrong";
const DEAL_WON: &str = "that a deal was won";
pub(super) const OURS: Words = "me my our us ours mine";
/// It came to others.
pub(super) const THEIRS: Words = "her him his their them he she they";
/// Words of business, and what success in it is called: together they mean one, in whatever order.
const BUSINESS: Words = "bonus raise promotion salary order buyer client commission contract customer \
    deal funding grant invoice invoices investor mandate payment pitch quote \
    royalties revenue sale sales sponsor subscriber subscribers tender turnover \
    wholesaler";
const SUCCESS: Words = "agreed approved bagged booked celebrate champagne clinched closed confirmed \
    congratulations countersigned doubled landed delivered paid payed renewed \
    sealed secured signed thrilled tripled won yes";
const NO_SUCCESS: Words = "cards he her him his she their them they great good trouble lease no to \
    price wrong birthday";

pub(super) const CUES: &[Cue] = &[
    cue(Anybody, DEAL_WON, &[Is(BUSINESS), Across(8), Is(SUCCESS)], NO_SUCCESS),
    cue(
        Anybody,
        DEAL_WON,
        &[
            Is("agreed approved booked celebrate champagne confirmed congratulations \
    countersigned paid payed renewed signed yes"),
            Across(6),
            Is(BUSINESS),
        ],
        NO_SUCCESS,
    ),
    cue(
        Anybody,
        DEAL_WON,
        &[Is("gig job order project slot wedding"), Is("is are was"), Maybe(ALREADY), Is("booked confirmed")],
        "",
    ),
    cue(
        Anybody,
        DEAL_WON,
        &[Is("they"), Maybe(ALREADY), Is("signed countersigned renewed reordered subscribed")],
        "off petition treaty peace",
    ),
    cue(
        Speaker,
        DEAL_WON,
        &[Is("got have had"), Any(1), Is("yes goahead commission raise promotion"), Any(1)],
        "no",
    ),
    cue(
        Anybody,
        DEAL_WON,
        &[
            Is("application bid contract deal loan order payment sale tender transfer"),
            Any(5),
            Is("came gone went"),
            Is("through"),
        ],
        "",
    ),
    cue(
        Others,
        DEAL_WON,
        &[
            Is("awarded gave given offered promised"),
            Is("me us"),
            Any(3),
            Is("account contract gig job mandate project tender stand"),
        ],
        "",
    ),
    cue(
        Others,
        DEAL_WON,
        &[Is(BUYER), Maybe("really now also still"), Is("want wants"), Is("my our more")],
        "address attention help number",
    ),
    cue(
        Anybody,
        DEAL_WON,
        &[
            Is("finally last"),
            Across(0),
            Is("a an another my our the"),
            Any(2),
            Is("buyer client contract customer deal gig investor order profit sale sponsor"),
        ],
        NO_SUCCESS,
    ),
    cue(
        Others,
        DEAL_WON,
        &[
            Is("accepted accept agreed liked loved took"),
            Any(2),
            Is("my our"),
            Any(1),
            Is("fee offer price prices proposal quote rate rates terms"),
        ],
        "",
    ),
    cue(Anybody, DEAL_WON, &[Is("turned became becoming"), Any(4), Is("client customer subscriber")], ""),
    cue(
        Anybody,
        DEAL_WON,
        &[Is("as"), Maybe("a our my new"), Is("client customer sponsor subscriber investor partner")],
        "well soon",
    ),
    cue(Anybody, DEAL_WON, &[Is("client customer order sale subscriber"), Is("number"), Any(1)], "is for of"),
    cue(Anybody, DEAL_WON, &[Is("dotted"), Is("line")], ""),
    cue(Anybody, DEAL_WON, &[Is("deal contract it"), Is("is"), Any(1), Is("in"), Is("the"), Is("bag")], ""),
    cue(
        Speaker,
        DEAL_WON,
        &[
            Is("am are been got get was were have"),
            Maybe(ALREADY),
            Is("promoted funded commissioned hired shortlisted"),
        ],
        "by",
    ),
    cue(
        Others,
        DEAL_WON,
        &[
            Is("assigned awarded booked chose chosen commissioned engaged hired picked \
    selected signed"),
            Any(1),
            Is(OURS),
        ],
        "up lease teacher",
    ),
    cue(
        Others,
        DEAL_WON,
        &[
            Is("agreed said signs nodded signed yes ok okay"),
            Any(1),
            Is("to with for on"),
            Any(2),
            Is("bid conditions deal estimate offer price pitch plan proposal quote terms us"),
        ],
        THEIRS,
    ),
    cue(
        Others,
        DEAL_WON,
        &[
            Is("want wants decided"),
            Is("to"),
            Is("book buy carry hire invest license order rent sell sign stock subscribe"),
            Any(1),
        ],
        "a her his new food",
    ),
    cue(
        Others,
        DEAL_WON,
        &[Is("renewed reordered upgraded prolonged resubscribed subscribed preordered")],
        "phone kitchen",
    ),
    cue(
        Others,
        DEAL_WON,
        &[Is("places placed sent put"), Any(2), Is("order orders preorder")],
        "at he in she",
    ),
    cue(
        Others,
        DEAL_WON,
        &[
            Is("signed subscribed"),
            Maybe("up"),
            Is("to for on"),
            Any(1),
            Is("my our premium yearly annual paid plan"),
        ],
        "",
    ),
    cue(
        Others,
        DEAL_WON,
        &[
            Is("took joined upgraded switched"),
            Maybe("up out to"),
            Maybe("the our a"),
            Is("annual paid premium pro yearly"),
            Any(1),
            Is("plan subscription tier version"),
        ],
        "",
    ),
    cue(
        Anybody,
        DEAL_WON,
        &[
            Is("a another first first five four more new second six ten three two"),
            Any(3),
            Is("subscribed joined reordered renewed"),
        ],
        "",
    ),
    cue(
        Anybody,
        DEAL_WON,
        &[
            Is("is are became becomes"),
            Maybe("now officially also finally"),
            Is("my our a"),
            Any(2),
            Is("client customer sponsor subscriber partner"),
            Is("now"),
        ],
        "",
    ),
    cue(
        Others,
        DEAL_WON,
        &[
            Is("became becomes"),
            Maybe("now officially finally"),
            Is("our my"),
            Any(2),
            Is("client customer sponsor subscriber partner"),
        ],
        "",
    ),
    cue(Speaker, DEAL_WON, &[Is("got get gave given"), Any(1), Is("green"), Is("light")], ""),
    cue(
        Others,
        DEAL_WON,
        &[Is("gave given give giving"), Is(OURS), Any(1), Is("green go"), Is("light ahead")],
        "",
    ),
    cue(
        Speaker,
        DEAL_WON,
        &[
            Is("beat outbid"),
            Any(3),
            Is("agencies agency bidder bidders competition competitor competitors firms \
    rivals"),
        ],
        "game match",
    ),
    cue(Anybody, DEAL_WON, &[Is("shook"), Is("hands")], "goodbye hello"),
    cue(
        Anybody,
        DEAL_WON,
        &[
            Is("account application bid contract deal funding grant loan mortgage \
    negotiations offer partnership permit pitch proposal quote raise tender \
    round"),
            Maybe(
                "application for of the my our your was were is are has have been got finally \
    just already",
            ),
            Any(1),
            Is("through accepted approved confirmed funded secured granted signed sealed won \
    renewed awarded"),
        ],
        NO_DEAL,
    ),
    cue(
        Anybody,
        DEAL_WON,
        &[
            Is("account contract client customer deal project tender"),
            Is("is are"),
            Maybe("all now finally officially"),
            Is("ours mine"),
        ],
        "",
    ),
    cue(
        Anybody,
        DEAL_WON,
        &[
            Is("pitch presentation demo negotiation negotiations call"),
            Is("went"),
            Any(2),
            Is("brilliantly great well perfectly smoothly fantastic amazingly"),
        ],
        "",
    ),
    cue(Others, DEAL_WON, &[Is(BUYER), Maybe(ALREADY), Is("extended renewed reordered")], "nothing"),
    cue(
        Anybody,
        DEAL_WON,
        &[
            Is("i we"),
            Is("got have"),
            Maybe(ALREADY),
            Maybe("a an the new"),
            Is("agreement client contract customer deal order"),
        ],
        NO_DEAL,
    ),
    cue(Speaker, DEAL_WON, &[Is(WON), Any(4), Is(DEAL)], "cards petition"),
    cue(Speaker, DEAL_WON, &[Is(GOT), Any(3), Is(DEAL)], NO_DEAL),
    cue(Speaker, DEAL_WON, &[Is("signed landed onboarded"), Any(3), Name], PAPERS),
    cue(Anybody, DEAL_WON, &[Is("i we"), Maybe(ALREADY), Is("signed onboarded"), Any(1)], PAPERS),
    cue(
        Speaker,
        DEAL_WON,
        &[Is("won"), Maybe("back over the"), Name],
        "cup game league match medal race lottery",
    ),
    cue(Others, DEAL_WON, &[Is(BUYER), Any(3), Is("countersigned renewed reordered signed")], PAPERS),
    cue(Others, DEAL_WON, &[Name, Maybe(ALREADY), Is("countersigned renewed signed")], PAPERS),
    cue(Anybody, DEAL_WON, &[Start, Any(1), Maybe(ALREADY), Is("countersigned signed"), End], PAPERS),
    cue(
        Anybody,
        DEAL_WON,
        &[
            Is("agreement contract deal order partnership sale tender"),
            Any(3),
            Is("closed confirmed countersigned done final finalised finalized mine ours \
    sealed signed through won bag renewed"),
        ],
        NO_DEAL,
    ),
    cue(Anybody, DEAL_WON, &[Is("closed done signed won sealed"), Is("deal")], NO_DEAL),
    cue(Speaker, DEAL_WON, &[Is("got have gained found"), Any(2), Is(NEW), Any(2), Is(CUSTOMER)], "deal"),
    cue(Anybody, DEAL_WON, &[Start, Maybe("a our my the and yet"), Is(NEW), Any(2), Is(CUSTOMER)], NO_DEAL),
    cue(Anybody, DEAL_WON, &[Is("first new"), Is("paying"), Any(1)], ""),
    cue(
        Others,
        DEAL_WON,
        &[
            Is("accepted approved chose took loved accept accepts picked yes ok agreed green"),
            Any(3),
            Is("bid estimate offer pitch plan proposal quote subscription tender"),
        ],
        "",
    ),
    cue(Others, DEAL_WON, &[Is(BUYER), Any(2), Is("chose hired picked booked"), Is(US)], "up"),
    cue(Speaker, DEAL_WON, &[Is("hired commissioned"), Maybe("for by")], "a an he him"),
];
