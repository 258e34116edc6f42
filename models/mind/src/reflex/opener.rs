//! Takes the politeness off a clause: the address, "could you", "I want you to", "please", "if you don't mind". What remains is
//! what is asked. It also tells how it was asked, because "can you drive?" asks for nothing to be done.

use std::sync::LazyLock;

use super::phrase::{Table, longest};
use super::token::Token;

/// Words around a request that change nothing.
const FILLERS: &str = "\
    please kindly just now ok hey hi hello yo omg gosh jeez yikes aah ahh aargh eek whoops robbie robot so well \
    alright oh ah um uh er erm hmm hm then and also finally lastly first next now quick quickly immediately \
    simply maybe perhaps possibly listen dear sweet little yes yeah yep sure great good nice cool perfect buddy \
    mate pal dude man bro sir friend boy haha lol again actually thanks afterwards firstly secondly but to hurry \
    plus like guys too instead oi oy ahoy psst captain skipper mister love honey sweetie darling luv pet ladies \
    folks everyone arr arrr matey hearties avast guv guvnor boss chief champ sire";

/// What makes a request of a sentence, followed by the verb.
static REQUESTS: LazyLock<Table> = LazyLock::new(|| {
    Table::new(
        "\
    could|would|will|can|can't|couldn't|won't|wouldn't|may|might|shall you please? kindly? maybe? possibly? \
    just? now? quickly? perhaps?; could|would|will|can you please be so kind|good as|and to?; \
    could|would|will|can you be so kind|good as|and to?; would|could you be able to; do|would you mind please?; \
    you wouldn't mind; would it be possible for? you? to; would it be ok if you; i want|need|wish you to; i \
    want|need that you; i want|need you; me want|need you to?; i would|want like you to; i'd \
    like|love|want|prefer you to?; i would love|prefer you to; i'd like that you; i'd like to have you; \
    need|want you to?; i'm going to need you to; i am|'m asking you to; i'm asking you to; i ask you to; i \
    order|command|beg|invite|request you to; i'd appreciate it if you|you'd could|would?; i would appreciate it \
    if you|you'd could|would?; it would be nice|great|good|lovely|cool if you|you'd could|would?; it'd be \
    nice|great|good|lovely|cool if you|you'd could|would?; let's all? please?; let us; you \
    should|could|must|can|may|will|shall to?; you should|must|may now; you have|need|are|ought to; you \
    may|can|should now; you better; you'd better; why don't you please? just?; why not; how about you?; what \
    about you?; feel free to; be so kind as|and to?; be so good as|and to?; be a dear and; be an angel and; try \
    to; try and; try; go ahead and; go and; do me a favour|favor and; do me a favour|favor; make sure to|you; be \
    sure to; i said; may|can|could|might i ask you to; can|could|may i get you to; can|could we please?; any \
    chance you could|can; is there any chance you could; it's time to|for?; time to; please to; please you to?; \
    you please to?; you must to; will you; are you able to please; i think you should; let me see you; i'd be \
    happy|glad|grateful if you|you'd could|would?; come on; go on; ready set; your task is to; get ready to; \
    proceed to; start to; begin to; start; begin; you need; you there; hey you; over to you; good \
    morning|evening|afternoon|day; do it now; thank you; could|can|might|may i|we|one \
    trouble|bother|persuade|convince|request|have|beg|tempt you to|for?; can|could|may|might i request|ask that? \
    you?; i was|am|'m wondering|hoping|thinking if|whether|that? perhaps? you might|could|would|can \
    possibly|perhaps|maybe|please?; i'm wondering|hoping if|whether|that? perhaps? you might|could|would|can \
    possibly|perhaps|maybe|please?; i wonder if|whether perhaps? you might|could|would|can \
    possibly|perhaps|please?; let's see|have you; let us see|have you; let me|us have|watch you; be a|an \
    love|dear|darling|star|angel|pal|sport|gem|sweetheart|champ|friend|sweetie|legend|doll|hero|mate|treasure|champion|peach|lamb \
    and; be a good|nice|great boy|girl|robot|lad|chap|bot|fellow|sport and; would|will|could|can you be a|an \
    love|dear|darling|star|angel|pal|sport|gem|sweetheart|champ|friend|sweetie|legend|doll|hero|mate|treasure \
    and; would|could you be willing|prepared|ready|happy|inclined to; would|could you care to; care to; \
    would|could you see your way to; would|will it be too much to|trouble to? ask? of|for? you? to; would it be \
    possible|alright|fine|okay|feasible for you to; would it be too much trouble for|to you? to?; would it be \
    possible|alright|fine|feasible if you; what i'd|i like|want|love|need is for you to; what i would like|love \
    is for you to; i would like|love|prefer that you; i'd|i be much|most|so|very? \
    grateful|obliged|thankful|delighted|pleased|happy|glad|honoured|honored if you|you'd could|would|might?; i \
    would|should be much|most|so|very? grateful|obliged|thankful|delighted|pleased|happy|glad|honoured|honored \
    if you|you'd could|would|might?; it'd|it's|it would|will|is? be? most? kind|nice|good|lovely|sweet|helpful \
    of you to|if? you? could|would?; it'd|it's|it would|will|is? be? so|very|ever|most? \
    nice|great|good|lovely|cool|awesome|wonderful|fantastic|helpful|kind|super|brilliant|best|better|fun|handy|grand \
    if you|you'd could|would|just?; i'd|i love|like|adore|appreciate it? for? you to; i'd|i love|like|appreciate \
    it? if you|you'd could|would?; i'd have|ask|beg|urge you to?; i could do with you; i \
    suggest|propose|recommend|vote|say you; may i suggest you; you wanna; you're|you are? \
    requested|asked|invited|ordered|instructed to; you're|you are? kindly requested|asked|invited to; you are \
    to; you're to; do you think|reckon|suppose|believe you could|can|might; think|reckon you could|can|might; \
    any|is there? any? way|chance you could|can|might; is there any|a way|chance you could|can|might; see if you \
    can|could; see to it that you; see that you; be good|kind enough to; kindly be; oblige me by|and; kindly \
    oblige by|me?; your next|new|first|only? job|mission|task|orders|order|move|step is|are to; fancy; mind; \
    care; do please|kindly|just|go|be; if you'd be ever|very? so kind|good as|and? to?; if you would be \
    ever|very? so kind|good as|and? to?; would you be so? very? good|kind|nice|sweet|lovely enough? as|and? to?; \
    can|could i have|get|see you; my wish|order|request|command is that|for? you to?; i \
    request|demand|insist|ask|beg|pray that? you; go on and; get on and; go on then; get going and; get moving \
    and; hurry up and; come on then?; come on and; i'm|i asking|begging|telling|ordering|instructing you to; \
    have a go at; what do you say you|to?; how would you feel about; would you consider; do me a solid and; do \
    us a favour|favor|kindness and; do me the|a? kindness|honour|honor|courtesy of|and; time for you to; it's|it \
    is time for? you? to; all right; right then; next up; as your next step|move; it's ok to; on my mark; that's \
    far? enough; that is far? enough; enough; your turn to; you; u",
    )
});

/// Politeness that stands anywhere and asks for nothing.
static POLITE: LazyLock<Table> = LazyLock::new(|| {
    Table::new("\
    very|super|quite? slowly|gently|carefully|softly|quietly|smoothly|cautiously; be a|an love|dear|darling|star|angel|pal|sport|gem|sweetheart|champ|friend|sweetie|legend|doll|hero|mate|treasure|champion|peach|lamb; \
    be a good|nice|great boy|girl|robot|lad|chap|bot|fellow|sport; how to say; how do you say it?; what's the word; what's it|that called; \
    if you'd|you be ever|very? so kind|good; if you would be ever|very? so kind|good; do me a favour|favor|solid; do us a favour|favor; \
    dear; luv; love; pet; hun; chum; chap; mister; lad; kiddo; champ; sweetheart; babe; mate; my? good|dear|old|little|fine|sweet|lovely|clever|silly|trusty|beloved \
    man|fellow|sir|chap|boy|girl|robot|friend|lady|bot|buddy|lad|machine|bean|thing|one; you \
    good|dear|old|little|sweet|clever|silly|lovely|beautiful|big|cute|brave? boy|girl|robot|bot|machine|thing|one|genius; you? tin can|man; \
    pretty please; with a? sugar|cherry|cherries on top|it?; pretty please with a? sugar|cherry|cherries on top; if it's|that's not? no|any|a bother|trouble|hassle|problem|inconvenience; \
    if it isn't any|too|a bother|trouble|much; if you'd oblige; if you oblige; if you would|could oblige; easy does it; nice and gentle|steady|careful|smooth; \
    only; no rush|hurry|pressure|worries; there's|there is no rush|hurry; in your own time; take your time; at your leisure; \
    when you get round|around to it; there's|that's a good|clever|brave|sweet|dear boy|girl|robot|lad|bot|chap; na; eh; innit; deal; \
    alright; will ya|you; if you fancy it?; thank you kindly; thanks ever so much; thanks very much; much obliged; i'd be grateful|obliged; i would be grateful|obliged; \
    would be nice|great|lovely|good|perfect|cool; that'll do; that would do; you know; you see; if that suits you; if that works for you?; \
    if you're willing|game|free; if it pleases you; for grandma|granny|mum|mom|dad|daddy|mummy|mommy|grandpa|baby; \
    for the bride|groom|album|baby|crowd|world|class|visitors|children|grandkids|neighbours|party|show|boys|girls|ladies|fans|customer|customers; \
    for my|our mum|mom|dad|sister|brother|daughter|son|wife|husband|kids|friends|guests|grandma|friend|visitors; over and out; pronto; chop chop; \
    on the double; without delay; without further ado; forthwith; or something; or whatever; or thereabouts; more or less; give or take;
    if you don't mind; if you wouldn't mind; if you please; if possible; if you can; if you could; if you \
    would; if you will; if you like; if you want; if you want to; if you wish; if it's ok; if that's ok; if \
    it is ok; if that is ok; if it's ok with|for you; if that's ok with|for you; if it's possible; if it is \
    possible; if you'd be so kind; if you would be so kind; if you'd like; if you would like; if you'd like \
    to; if you may; if you have a? time|moment|minute|second; if you get a chance; if it's no \
    trouble|problem|bother; if it's not too much trouble|bother|hassle; if it isn't too much trouble|bother; \
    if it is not too much trouble|bother; if you aren't|are not? too? busy; if you're not too? busy; if \
    you're not busy; when|whenever|once you are|'re ready; when|whenever|once you're ready; when|whenever \
    you can; when|whenever you like|want; when you have a? time|moment|minute|second|sec|chance; when you \
    get a? time|moment|minute|second|sec|chance; as soon as you can; as soon as possible; if you're ready; \
    if you are ready; if you feel like it; if you're up for it; at your convenience; when it suits you; if i \
    may ask; if i may; will you; would you; could you; can you; won't you; for me; for us; ok; please and \
    thank you; thank you so? very? much?; thanks so? a? much|lot|million?; thanks in advance; thank you in \
    advance; for now; right now; right away; straight away; at once; this instant; this second; this minute; \
    now; already; immediately; please; kindly; robbie; robot; for a? second|sec|moment|minute|bit|while; a moment|second|sec|minute; \
    real quick; really quick; my friend; good boy|girl|robot|bot; little one|guy|fella|buddy|friend|robot; \
    big guy; buddy; mate; pal; dude; man; bro; sir; boss; friend; dear; darling; honey; sweetie; thanks; \
    lol; haha; ok then; then; again; too; as well; instead; for a change|once; yes; yeah; one more time; i said; \
    do it; come on; will you please; nice and slow|slowly|easy|gently; if you're able to; that would|'d be \
    great|nice|lovely|cool|good|wonderful|perfect|awesome; that'd be \
    great|nice|lovely|cool|good|wonderful|perfect|awesome; it would be great|nice|lovely|cool|good; i'd \
    appreciate it|that; i would appreciate it|that; much appreciated; if you would be so kind; i mean; i \
    meant; like that; just like that; for the kids|camera|guests|audience|team|family; everybody; everyone; \
    so; and; there you go; go on; go; but; to; just; first; of course; will do; or so; in total; altogether; \
    exactly; in place; on the spot; for real; hey; oh; you")
});

/// How a clause asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// "Can you", "could you": with a bare verb it asks for an ability.
    pub by_ability: bool,
    /// With the verb in -ing: "would you mind turning", "how about turning".
    pub by_gerund: bool,
    /// By any other words that make a request.
    pub by_request: bool,
}

/// What is asked, without what surrounds it.
pub(super) fn strip(tokens: &[Token]) -> (&[Token], Asked) {
    let (tokens, asked) = strip_start(tokens);
    (strip_end(tokens), asked)
}

/// How many tokens of politeness stand before what is asked.
pub(super) fn lead(tokens: &[Token]) -> usize {
    tokens.len() - strip_start(tokens).0.len()
}

fn strip_start(mut tokens: &[Token]) -> (&[Token], Asked) {
    let mut asked = Asked::default();
    loop {
        if let Some(length) = longest(tokens, POLITE_STARTS) {
            tokens = &tokens[length..];
        } else if let Some(length) = request(tokens) {
            let first = &tokens[0];
            asked.by_ability |= first.is_any("can may") && tokens[1].is("you");
            asked.by_request |=
                !(length == 1 && first.is_any("you to try start begin mind fancy care enough u"));
            asked.by_gerund |= tokens[..length]
                .iter()
                .any(|token| token.is_any("mind how what try start begin if by about at fancy of"));
            tokens = &tokens[length..];
        } else if tokens.first().is_some_and(|token| token.is_word() && token.is_any(FILLERS))
            && !is_kept(tokens)
        {
            tokens = &tokens[1..];
        } else if longest(tokens, "can|could|would|will|may|might|shall your|the|all|both|those light|lights")
            .is_some()
        {
            // "Could your lights go blue?"
            asked.by_request = true;
            tokens = &tokens[1..];
        } else if tokens.len() > 1 && tokens[0].is("do") && tokens[1].is_any(AFTER_DO) {
            tokens = &tokens[1..];
        } else {
            break;
        }
    }
    (tokens, asked)
}

/// Orders that "do" only makes stronger: "do turn left".
const AFTER_DO: &str = "\
    turn go drive move look shine glow say take make put switch come rotate revolve spin pivot roll remember \
    note stop be snap";

const POLITE_STARTS: &str = "\
    if you don't mind; if you please; if possible; if you can; if you like; if you want; when you're ready; \
    when you are ready; whenever you're ready; right then; right so; good morning|evening|afternoon|day; \
    thank you; right ok; my friend; my dear; little one|guy|buddy|robot|friend|fella; excuse me; all right; \
    hi|hello|hey there; for a change; this time; right now; at this point";

/// "Back" and the like are no fillers where they are the command itself.
fn is_kept(tokens: &[Token]) -> bool {
    tokens.len() == 1 && tokens[0].is_any("again instead")
        || (tokens[0].is("to") && tokens.get(1).is_some_and(|next| next.is_any(WAYS)))
        || (tokens[0].is("next") && tokens.get(1).is_some_and(|next| next.is_any("to year week time month")))
        || (tokens[0].is("like") && tokens.len() > 1 && !tokens[1].is_any("turn go drive move"))
        || (tokens[0].is("again") && tokens.get(1).is_some_and(|next| next.is("and")))
}

const WAYS: &str = "the your left right my forward back front me a up down";

fn request(tokens: &[Token]) -> Option<usize> {
    let length = REQUESTS.longest(tokens)?;
    // "You" makes a request only before a verb, and "start" or "try" only before one in -ing.
    let next = tokens.get(length).map_or("", |token| token.text.as_str());
    if length == 1
        && tokens[0].is("you")
        && matches!(
            next,
            "are" | "were" | "have" | "had" | "did" | "look" | "can" | "will" | "would" | "never"
        )
        && tokens.len() > 2
        && !(next == "look" && tokens[2].is_any("left right up down to at straight forward"))
    {
        return None;
    }
    let is_short = length == 1 && tokens[0].is_any("start begin try mind fancy care");
    (!is_short || next.ends_with("ing")).then_some(length)
}

/// Without the politeness that ends it.
pub(super) fn strip_end(mut tokens: &[Token]) -> &[Token] {
    'again: for _ in 0..16 {
        for back in (1..=tokens.len().min(8)).rev() {
            let from = tokens.len() - back;
            if POLITE.is_whole(&tokens[from..]) && !ends_kept(tokens, from) {
                tokens = &tokens[..from];
                continue 'again;
            }
        }
        break;
    }
    tokens
}

/// "Straight away" is politeness, "look straight" is not; "again" alone asks for something.
fn ends_kept(tokens: &[Token], from: usize) -> bool {
    from == 0 && tokens.len() == 1 && tokens[0].is_any("again go instead")
        || (from > 0 && tokens[from].is("go") && tokens[from - 1].is_any("don't never not to can let"))
        || (from > 0
            && tokens[from].is("you")
            && tokens[from - 1].is_any("behind to at around of are front unlock pair love"))
        || (from > 0
            && tokens[from].is_any("man boy friend boss robot so to dear sir")
            && tokens[from - 1].is_any("the a my your that this our")
            && tokens.len() - from == 1)
}

/// Whether nothing is asked: fillers and politeness only.
pub(super) fn is_polite(tokens: &[Token]) -> bool {
    tokens.is_empty() || POLITE.is_whole(tokens) || strip(tokens).0.is_empty()
}

/// "If you don't mind", "when you're ready": a condition out of politeness, of which nothing depends.
pub(super) fn polite_condition(tokens: &[Token]) -> Option<usize> {
    if !tokens.first()?.is_any("if when whenever once as at") {
        return None;
    }
    POLITE.longest(tokens).filter(|length| *length > 1)
}

/// Without the address and "please" around it: for phrases that are a command by themselves.
pub(super) fn plain(mut tokens: &[Token]) -> &[Token] {
    const AROUND: &str = "now please robbie robot ok thanks just then hey can could you yes so";
    while let Some((first, rest)) = tokens.split_first().filter(|(first, _)| first.is_any(AROUND)) {
        tokens = rest;
        if first.is("you") && rest.is_empty() {
            break;
        }
    }
    while let Some((_, rest)) = tokens.split_last().filter(|(last, _)| last.is_any(AROUND)) {
        tokens = rest;
    }
    tokens
}
