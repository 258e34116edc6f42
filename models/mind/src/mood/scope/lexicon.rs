//! The words that `scope` looks for. It decides nothing.

use super::Words;

pub(super) const NEGATIONS: Words = "barely deny denied fail failed forgot hardly hate hated instead lost neither \
    never no nobody none noone nor not nothing nowhere quit refuse refused \
    scarcely sick stop stopped tired unable without zero unlikely impossible \
    doubt";
/// What denies from behind: "signed nothing".
pub(super) const NEGATIONS_BEHIND: Words = "nobody none not nothing zero";
/// Words of denial that deny nothing.
pub(super) const NOT_NEGATIONS: &[Words] = &[
    "can not believe",
    "can not get enough",
    "can not help",
    "can not say how",
    "can not stop",
    "could not stop",
    "never stop",
    "not stop",
    "can not tell you",
    "can not wait",
    "can not imagine",
    "can not live",
    "could not imagine",
    "could not live",
    "could not bear",
    "could not wish",
    "could not ask",
    "could not be without",
    "do not know what",
    "never want to be without",
    "never give you",
    "had never heard",
    "have never heard",
    "never heard of",
    "nothing makes",
    "nothing beats",
    "stop motion",
    "can not believe it",
    "i did not know",
    "did not even know",
    "did not realise",
    "did not realize",
    "never realised that",
    "never realized that",
    "never noticed that",
    "could not wait",
    "nobody makes",
    "nobody understands",
    "nobody cheers",
    "nobody gets",
    "nobody knows",
    "none cheers",
    "no one makes",
    "no one understands",
    "no one cheers",
    "no one gets",
    "no one knows",
    "could not be",
    "could not believe",
    "could not resist",
    "did not expect",
    "do not forget",
    "do not know how",
    "do not tell anyone",
    "do you not",
    "never been",
    "never thought",
    "no doubt",
    "no idea how much",
    "no joke",
    "no kidding",
    "no lie",
    "no matter",
    "no wonder",
    "not bad",
    "not gonna lie",
    "not going to lie",
    "not just",
    "not only",
    "not to mention",
    "why do not",
    "why not",
];
/// From these words to the end of the sentence nothing is so.
pub(super) const SUPPOSING: Words = "assuming dreamed dreamt hope hoping hypothetically if imagine provided \
    suppose supposing unless whether whenever wish wonder wondering otherwise \
    praying";
pub(super) const NOT_SUPPOSING: &[Words] = &[
    "if i may",
    "if you ask",
    "if you can",
    "if you do not mind",
    "if you like",
    "if you must",
    "if you want",
    "no wonder",
];
/// What follows "would" and "could" in words of affection that hold.
pub(super) const SURE: Words = "always ever be choose cuddle cry do eat fall give hug keep kiss marry never not \
    pick replace squeeze take";
/// What was so only then, wherever it is said.
pub(super) const IF_ONLY: &[Words] = &["if only", "if i had", "if i could", "if there were", "if there was"];
/// In the clause of these words, before the cue, nothing is so yet.
pub(super) const UNSURE: Words = "almost could hopefully maybe might nearly perhaps possibly probably rather \
    should someday supposed used would eventually dream";
/// The same for what must be so already.
pub(super) const NOT_YET: Words = "about expect going must need once plan planning soon try trying until wait \
    waiting want will shall till before deserve able";
/// Words of that kind in a request.
pub(super) const ASKING: &[Words] = &[
    "we could",
    "we should",
    "could i",
    "could you",
    "could we",
    "should i",
    "should we",
    "would like",
    "would love",
    "would you",
];
pub(super) const ONE_DAY: &[Words] = &["as soon as", "in my dreams", "used to"];
/// The same, wherever it stands in the clause.
pub(super) const SOME_TIME: &[Words] = &["one day", "some day", "at some point"];
/// What ends badly brought no money.
pub(super) const ENDS_BADLY: Words = "backed bankrupt bounced cancel cancelled canceled collapsed complain \
    compliments declin delayed died disputed exposure fake fell fraud lose lost \
    losing overdue peanuts postponed promises refused rejected scam stolen sued \
    unpaid walked wrong burned withdrew ghosted bust rival mix dead";
pub(super) const SAYING: Words = "says believe believes bragged brag claim mention report said say swear tell \
    think thinks thought told wrote write writes announced insist rumour rumor \
    heard boast explained according";
pub(super) const TALES: Words = "advert article book character commercial documentary episode film headline \
    hero lyrics magazine movie news newspaper novel paper play plot podcast \
    radio series show song story tv programme program poem tale musical opera \
    game soap gossip comic telly";
pub(super) const OWN: Words = "i me my our us we";
pub(super) const DETERMINERS: Words = "a an in on that the this some old new";
/// Orders to say, keep or look up what follows.
pub(super) const ORDERS: Words = "announce call define email google mail message note print read recite \
    remember remind repeat save say search send shout spell tell text translate \
    type whisper write jot log record ask put pretend";
pub(super) const POLITE: Words = "can could do forget not please to will would you want i mind kindly quickly \
    need down";
pub(super) const WHAT: Words = "how what when where which who whose why whats";
pub(super) const INVERTS: Words = "am are did do does had has have is was were";
pub(super) const MODALS: Words = "can could may shall should will would";
pub(super) const ASKED_ABOUT: Words = "any anyone anybody he i it my our she that the their there they this we you \
    your";
/// Questions that tell something, or ask for something to be made.
pub(super) const NOT_QUESTIONS: &[Words] = &[
    "are you ready",
    "are you up",
    "can i",
    "can you believe",
    "did i mention",
    "did i tell",
    "did we tell",
    "did you hear",
    "did you know",
    "do you fancy",
    "do you feel",
    "do you know how much",
    "do you know that",
    "do you know what",
    "do you wanna",
    "do you want",
    "have i mentioned",
    "have i told",
    "have you heard",
    "how about",
    "what a",
    "what about",
    "what an",
    "what can we",
    "what rhymes",
    "what shall",
    "what should",
    "why do not",
    "is it my turn",
    "how did i ever",
    "did i ever tell",
    "have i ever told",
    "do you know how",
    "how should",
    "how shall",
    "what could we",
    "you know what",
    "know what",
    "can you imagine",
    "ready for",
    "who is my",
    "who is a",
    "where did you get those",
    "have you ever heard",
    "did anyone tell you",
    "what do you say we",
];
/// People who may be meant by "you" instead.
pub(super) const PEOPLE: Words = "babe baby dad daddy darling grandma grandpa hon honey kids mom mommy mum \
    mummy sis bro";
pub(super) const ROBBIE: Words = "robs bobby bot robby robbie robo robot too";
pub(super) const THIRD: Words =
    "anybody anyone everybody everyone he it nobody she somebody someone they who";
/// Words that name nobody.
pub(super) const NAMES_NOBODY: Words = "my our closed earned found heard landed made met played read saw signed sold took \
    won wrote another some any more final last next quick little been all about \
    a should shall may must sunday saturday friday monday am are at be being \
    busy can could did do does done fancy feel first for get going got had has \
    have help how in is keep learn let like lot love me mood need never no not \
    of one out spent start that the time to try up us want was were what will \
    with would day while ready where why school new feeling think";
pub(super) const THING_FOLLOWS: Words = "a an her his my of some that the their this your bought";
pub(super) const SIDE: Words = "app start blog booth brewery cafe campaign channel choir class etsy farm \
    fundraiser gallery hustle kickstarter kiosk newsletter podcast practice \
    restaurant stall stand webshop website workshop agency band bakery business \
    company firm salon shop side startup store studio team";
