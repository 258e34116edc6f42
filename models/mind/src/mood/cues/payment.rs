//! How one tells that money came in. What the speaker pays is not looked for.

use super::Doer::{Anybody, Others, Speaker};
use super::Slot::{Any, End, Is, Maybe, Name, Start, Sum};
use super::money::{ALREADY, BUYER, OURS, THEIRS, US};
use super::{Cue, Words, cue};

const INVOICE: Words = "advance bill bonus cash check cheque commission deposit fee funds instalment \
    invoice money paycheck payment payout royalties royalty salary transfer wages grant \
    funding balance allowance arrears compensation dividend donation dues \
    honorarium inheritance installment interest loan pension refund rebate \
    reimbursement rent scholarship settlement stipend subsidy sum tip tranche";
const ARRIVED: Words = "arrived approved came cleared credited granted hit landed paid payed \
    received released settled through transferred wired here in pay come";
const EARNED: Words = "brought billed cleared charged earned earn got grossed invoiced made netted \
    pocketed raised raked received took won collected banked saved sold turned \
    pulled";
const SPENT: Words = "attention off price respects visit compliment tribute fine homage";
const PAID: &str = "that money came in";
/// Money that comes to somebody.
const GIFT: Words = "advance allowance award bonus bonuses cash commission compensation contract \
    deposit dividend donation fee funding funds grant investment loan money \
    order pay payment payout promotion prize raise rebate refund reimbursement \
    rest rise royalties salary scholarship sponsorship stipend subsidy tip \
    tranche wages retainer";
/// To give it.
const GAVE: Words = "brought approved awarded credited donated doubled gave given giving granted \
    handed increased invested lent offered paid paying payed pays pledged \
    promised put raised refunded reimbursed released remitted repaid returned \
    sent settled slipped tipped transferred wired";
/// What to say to money.
const HURRAY: Words = "kaching chaching payday jackpot";

pub(super) const CUES: &[Cue] = &[
    cue(Anybody, PAID, &[Is("in"), Maybe("the our my"), Is("till")], "nothing"),
    cue(
        Speaker,
        PAID,
        &[
            Is("get getting receive receiving"),
            Any(2),
            Is("bonus commission grant payout raise refund royalties"),
        ],
        "",
    ),
    cue(Anybody, PAID, &[Start, Any(3), Is(HURRAY)], "for was on"),
    cue(Anybody, PAID, &[Is("ka cha"), Is("ching")], ""),
    cue(Anybody, PAID, &[Sum, Is("net gross profit revenue turnover")], ""),
    cue(Anybody, PAID, &[Start, Is("paid sold"), End], ""),
    cue(
        Others,
        PAID,
        &[Is("finally just already has have"), Is("paid payed signed reordered countersigned renewed"), End],
        "i",
    ),
    cue(
        Anybody,
        PAID,
        &[Is("is are"), Maybe("all already finally fully now"), Is("paid"), End],
        "he she who well badly",
    ),
    cue(
        Others,
        PAID,
        &[Is("paid transferred wired sent"), Any(2), Is("amount balance half money rest sum total")],
        THEIRS,
    ),
    cue(
        Others,
        PAID,
        &[
            Is("boss chef company employer firm manager"),
            Any(2),
            Is("approved doubled gave granted increased paid promoted raised"),
        ],
        THEIRS,
    ),
    cue(
        Anybody,
        PAID,
        &[
            Is("app campaign company crowdfunding fundraiser kickstarter project startup \
    shop business"),
            Is("is are got was"),
            Maybe(ALREADY),
            Is("acquired backed booming financed funded growing profitable sponsored \
    thriving"),
        ],
        "",
    ),
    cue(Others, PAID, &[Is("invest invested invests"), Any(4), Is("me my our us")], ""),
    cue(
        Speaker,
        PAID,
        &[Is("billed earned invoiced"), Any(1)],
        "badge break degree it place respect rest trust",
    ),
    cue(Anybody, PAID, &[Is("paid pays paying"), Is("out")], ""),
    cue(
        Others,
        PAID,
        &[
            Is("paypal stripe venmo client customer insurance bank"),
            Any(2),
            Is("credited deposited wired transferred sent"),
        ],
        THEIRS,
    ),
    cue(
        Anybody,
        PAID,
        &[
            Start,
            Maybe("a another big first my nice our the unexpected yet"),
            Is("profit profits bonus commission royalties revenue"),
            End,
        ],
        "",
    ),
    cue(Others, PAID, &[Is(GAVE), Any(1), Is(OURS), Any(5), Is(GIFT)], THEIRS),
    cue(Others, PAID, &[Is(GAVE), Any(1), Is(OURS), Any(3), Sum], THEIRS),
    cue(Others, PAID, &[Is(GAVE), Any(3), Is(GIFT), Any(3), Is(OURS)], THEIRS),
    cue(Others, PAID, &[Is(GAVE), Any(2), Sum, Any(4), Is(OURS)], THEIRS),
    cue(Others, PAID, &[Is("giving paying sending sent gave"), Is("me us"), Any(2), Is("back")], THEIRS),
    cue(
        Others,
        PAID,
        &[Is("put paid left made transferred"), Any(2), Is("deposit advance downpayment retainer")],
        SPENT,
    ),
    cue(Others, PAID, &[Is("tipped reimbursed refunded repaid sponsored funded overpaid"), Is(OURS)], ""),
    cue(
        Others,
        PAID,
        &[
            Name,
            Maybe(ALREADY),
            Is("transferred paid wired sent repaid settled"),
            Any(2),
            Is("owed owes owe"),
        ],
        "",
    ),
    cue(
        Others,
        PAID,
        &[Is("transferred paid wired sent repaid settled"), Any(2), Is("owed owes owe debt debts")],
        THEIRS,
    ),
    cue(Others, PAID, &[Is(BUYER), Any(4), Is("paid payed settled"), Any(3), Is(INVOICE)], THEIRS),
    cue(Others, PAID, &[Is("settled cleared"), Any(2), Is("account balance bill debt invoice tab")], "with"),
    cue(
        Speaker,
        PAID,
        &[
            Is("got received collected earned landed banked picked"),
            Any(4),
            Is("bonus bonuses cash commission dividend donation donations fee grant \
    inheritance pay paycheck payout payment promotion prize raise refund rise \
    royalties salary scholarship sponsorship tip tips wages"),
        ],
        "no from asleep back angry",
    ),
    cue(
        Speaker,
        PAID,
        &[
            Is("earned earn making made"),
            Any(2),
            Is("enough money fortune profit living loads killing dollars euros"),
        ],
        "",
    ),
    cue(
        Anybody,
        PAID,
        &[
            Is("account money deposit rent salary payout refund bonus cash commission fee"),
            Is("is are"),
            Maybe("all now already finally"),
            Is("on in"),
            Any(2),
            Is("account bank"),
        ],
        "",
    ),
    cue(
        Anybody,
        PAID,
        &[Is("money cash payment"), Is("in"), Maybe("the my our"), Is("account bank hand till")],
        "",
    ),
    cue(
        Others,
        PAID,
        &[Is(BUYER), Any(3), Is("wired transferred"), Maybe("the his her"), Is("money deposit rest")],
        "",
    ),
    cue(Others, PAID, &[Is("paid pay pays wired transferred"), Any(1), Is(US)], SPENT),
    cue(
        Others,
        PAID,
        &[Is(BUYER), Any(2), Is("paid pays")],
        "attention me off price respects us too lunch dinner drinks coffee bus taxi \
    meal",
    ),
    cue(Others, PAID, &[Is(BUYER), Is("has have"), Maybe(ALREADY), Is("pay")], SPENT),
    cue(Others, PAID, &[Name, Maybe(ALREADY), Is("paid")], SPENT),
    cue(Speaker, PAID, &[Is("been get getting got"), Maybe(ALREADY), Is("paid")], SPENT),
    cue(Anybody, PAID, &[Is(INVOICE), Any(5), Is(ARRIVED)], "mail over pocket wallet drawer unpaid i"),
    cue(Anybody, PAID, &[Is("paid settled"), Maybe("all his her their our the that my"), Is("invoice")], "i"),
    cue(
        Speaker,
        PAID,
        &[
            Is("collected got received have"),
            Any(2),
            Is("bonus cheque commission deposit money payment raise royalties paycheck \
    payout grant funding"),
        ],
        "no from",
    ),
    cue(Speaker, PAID, &[Is(EARNED), Any(2), Sum], "it out"),
    cue(Speaker, PAID, &[Is("closed raised"), Any(2), Is("round funding capital seed")], ""),
    cue(Anybody, PAID, &[Sum, Any(4), Is("account bank till profit came earned richer")], ""),
];
