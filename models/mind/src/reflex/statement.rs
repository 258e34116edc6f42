//! Tells a request from what only looks like one: negations, reports, conditions contrary to fact, statements, text to be worked
//! on. And knows the short phrases that take back, repeat or reverse what was said before.

use super::number::Unit;
use super::opener::Asked;
use super::phrase::{anywhere, has, is_whole, longest};
use super::token::{Kind, Token};
use super::verb;

/// How a clause is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Request,
    Negated,
    Reported,
    Hypothetical,
    Statement,
    /// An exclamation beside the matter.
    Aside,
    /// The rest is text to translate, to explain, to print.
    Text,
}

const NEGATIONS: &str = "\
    don't; never; not; you shouldn't|mustn't|needn't|won't|can't|couldn't|wouldn't; \
    shouldn't|mustn't|needn't|won't|wouldn't; you should|must|may|need|are|can never|not; i \
    don't|didn't|won't|wouldn't|can't|never want|need|like|ask|wish|say|said|mean|tell|told|think; no \
    need|reason|point|use; there's|there is no need|reason|point|use; it isn't|it's|is not? \
    necessary|needed|required; let's not; i'd|i would rather|prefer you didn't|don't|not|wouldn't; i would \
    rather|prefer you didn't|don't|not|wouldn't; nobody|no-one wants|said|asked; nobody; under no \
    circumstances; by no means; whatever you do; without; you don't; you do not; refrain; avoid; no more \
    turning|driving|moving|going|talking; no \
    turning|driving|moving|going|photo|picture|selfie|looking|spinning|rotating|backing; you aren't|are \
    not|'re not allowed|supposed|to; you're not allowed|supposed|to; you didn't|did not; i never; we \
    don't|never; instead of; rather than; must not; should not; quit; make sure|certain you|to \
    don't|not|never; be careful not to";

const SUBJECTS: &str = "\
    i i'm i've i'll i'd we we're we've we'll he he's she she's it it's they they're they've that's there's \
    there you're you've you'll you'd my our his her their the someone somebody everybody everyone nobody \
    people your that this these those some all both one every each any most yesterday here's who's";

const REPORTS: &str = "\
    say says said saying tell tells told telling ask asks asked asking shout shouts shouted shouting yell \
    yelled yells write writes wrote read reads order ordered command commanded commands whisper whispered \
    scream screamed sing sings sang think thinks thought want wants wanted describes states stated instructs \
    called reply replied answer answered begins starts ends goes claims claimed suggests suggested insists \
    message email note letter article manual book film movie song poem website sticker sign story dream \
    dreamed dreamt heard mentioned advised recommends text quote keeps kept plan plans planned hopes wish \
    wishes requested requests demands demanded begged wished instructed reminded script recipe instructions \
    chapter line lyrics";

const UNREAL: &str = "\
    imagine; suppose; supposing; assume; assuming; pretend; what if; let's \
    say|pretend|imagine|assume|suppose; say you; i wish; if only; hypothetically; in theory; theoretically; \
    in a perfect|ideal world|dream|game|film|movie|story|book; in the|my|this|that|a \
    film|movie|story|book|game|song|dream|dreams|video|play|script; had you|i|we; you \
    could|would|should|might have; you could|would|should|might've; maybe one day; one day; some day; you \
    would; i would; for example|instance; picture this; think about|of; i dream|dreamed|dreamt; wouldn't it; \
    would; picture yourself";

const TEXT: &str = "\
    translate; rewrite; summarize; summarise; paraphrase; print; explain; proofread; spell; define; type; \
    quote; correct this|the; read this|the|that|it|me|aloud|out; interpret; parse; complete the|this; \
    continue the|this; analyze|analyse; write a|an|me|some; compose; draft; email|text|message|call; tell \
    him|her|them|anna|ben|my|the|everyone; decode; convert; describe; in which language; system; execute|run \
    the|this|following; output; echo; pronounce; rephrase; transcribe; fix this|the; finish this|the";

/// How a clause without its politeness is meant.
pub(super) fn mode(body: &[Token], asked: Asked) -> Mode {
    let Some(first) = body.first() else { return Mode::Aside };
    if longest(body, "what a|an|0; how nice|lovely|sweet|funny|cute|sad|great|awful").is_some() {
        return Mode::Statement;
    }
    if first.is("you") && body.len() > 1 {
        return if reports(body) { Mode::Reported } else { Mode::Statement };
    }
    let keeps = longest(body, "don't|not|never forget; don't let me forget").is_some();
    let is_negated = longest(body, NEGATIONS).is_some() && longest(
            body,
            "no more? light|lights; quit moving|driving|turning|going|spinning|rolling|rotating; don't move a muscle",
        )
        .is_none();
    if is_negated && !keeps && !(first.is("not") && body.len() == 1) {
        return Mode::Negated;
    }
    if longest(body, UNREAL).is_some() && !asked.by_request {
        return Mode::Hypothetical;
    }
    if longest(body, TEXT).is_some() {
        return Mode::Text;
    }
    // "Going forward 1 m is enough" and "turned left" are no orders.
    if verb::is_bent(&first.text) && !asked.by_gerund {
        return Mode::Statement;
    }
    if super::content::taker(body).is_some() {
        return Mode::Request;
    }
    // What the speaker wants is no report.
    let wishes = longest(body, "i|we want|need|ask").unwrap_or(0);
    let is_subject = first.is_any(SUBJECTS) && !is_thing_command(body);
    if (is_subject || (first.kind == Kind::Name && body.len() > 1) || first.kind == Kind::Quote)
        && reports(&body[wishes..])
    {
        return Mode::Reported;
    }
    if is_subject {
        return Mode::Statement;
    }
    if longest(
        body,
        "\
            wow; gosh; oops; ouch; ugh; no; yes; true; ready; welcome; congratulations; sorry; look; see; \
            hmm; hmmm; ha; hehe; enough; right; exactly; deal; sounds good|great; well done",
    ) == Some(body.len())
    {
        return Mode::Aside;
    }
    Mode::Request
}

/// "The lights off", "all lights on", "your head up" begin like statements.
fn is_thing_command(body: &[Token]) -> bool {
    longest(
        body,
        "\
            the|your|all|both|these light|lights|head|eyes|colour; all the|your light|lights; all the way; \
            the other way",
    )
    .is_some()
        && !has(body, "were was are is have had went")
}

/// Whether a statement tells what others say, want or write.
pub(super) fn reports(body: &[Token]) -> bool {
    has(body, REPORTS) || body.iter().any(|token| token.kind == Kind::Quote)
}

/// Whether a clause gives what stands before it to somebody else: "..., he said".
pub(super) fn quotes_before(body: &[Token]) -> bool {
    const SPEECH: &str = "\
        said says say told tells yelled shouted wrote writes asked whispered yells shouts whispers ordered \
        reads goes went screamed replied repeated thought sang sings answered mumbled commanded";
    let at = body.iter().position(|token| token.is_any(SPEECH));
    at.is_some_and(|at| !body[0].is_any("i i've") && at <= 3 && body.len() - at <= 3)
}

/// Whether a clause supposes something, told before its politeness is taken off: "let's say".
pub(super) fn supposes(tokens: &[Token]) -> bool {
    longest(
        tokens,
        "\
            let's say|pretend|imagine|assume|suppose; let us say|pretend|imagine|assume|suppose; i wish; if \
            only; would you rather",
    )
    .is_some()
}

/// Whether a condition is contrary to fact or in the past.
pub(super) fn is_unreal(tokens: &[Token]) -> bool {
    has(
        tokens,
        "\
            were was would had you'd i'd could went turned took drove moved said looked told did asked \
            stopped got might ever",
    ) || anywhere(tokens, "what happens")
        || (anywhere(tokens, "i say|said") && !tokens[0].is_any("unless until"))
        || longest(tokens, "as you know; because").is_some()
}

/// Whether a clause takes back what was said.
pub(super) fn cancels(body: &[Token]) -> bool {
    is_whole(
        body,
        "\
            never mind that?; nevermind; forget it|that; forget about it|that; scratch that|it; cancel \
            that|it|everything?; don't; no don't; leave it|that; on second thought|thoughts no|don't|never?; \
            belay that; ignore that|it|me; drop it|that; skip it|that; not anymore|now; just? kidding; jk; \
            only joking; just? joking; don't do it|that; don't bother; no need; or not; maybe not; better \
            not; not really; i changed my mind; i've changed my mind; no never mind; strike that; disregard \
            that?; forget i said that|it|anything; no forget it|that; no cancel that?; let it be; that was a \
            joke; not; no way|thanks|chance; no thank you; yeah right; as if; psych; not now|today|yet; or \
            maybe not; don't you dare",
    )
}

/// "No photos", "no turning": a negation and no correction.
pub(super) fn is_no_noun(body: &[Token]) -> bool {
    body[0].is("no")
        && (longest(body, NEGATIONS).is_some() || longest(body, "no more? light|lights").is_some())
}

/// A request to others or of another kind, which leaves a command beside it clear.
pub(super) fn is_other_task(body: &[Token]) -> bool {
    body[0].is_any(
        "\
        tell sing play open close bring call find dance show help wait watch start buy count whistle fetch \
        smile beep ask answer",
    )
}

/// How often a phrase asks to repeat what was asked before.
pub(super) fn repeats(plain: &[Token]) -> Option<usize> {
    let count = |token: &Token| match token.kind {
        Kind::Amount(amount) if amount.unit == Unit::Times && amount.value.fract() == 0.0 => {
            (1_u32..=21).take_while(|count| f64::from(*count) <= amount.value).count().into()
        }
        _ => None,
    };
    const AGAIN: &str = "\
        again; and again; do it|that|this|so again; do the same thing? again?; the? same thing|again again?; \
        the? same again|thing|please; repeat that|it|this|please?; one more again?; another one|time|round; \
        take|do|make|snap|shoot|have|get another one?; encore; more of the same; same; and one more; say that|it \
        again; once again|more; and once more|again; now again; go again; again again; yes again; one more time; \
        the? same; let's do that|it again";
    if is_whole(plain, AGAIN) {
        return Some(1);
    }
    let times = |phrase: &[Token]| match phrase {
        [one] if count(one) == Some(1) => Some((1, false)),
        [one] => count(one).map(|count| (count, true)),
        [one, more] if more.is_any("more again") => count(one).map(|count| (count, false)),
        _ => None,
    };
    let lead = longest(plain, "do it|that|this; repeat it|that|this; and; again");
    match times(&plain[lead.unwrap_or(0)..]) {
        Some((count, false)) => Some(count),
        // "Do that twice" in all.
        Some((count, true)) if lead.is_some() => Some(count.saturating_sub(1).max(1)),
        _ => None,
    }
}

/// "The other way", "in the opposite direction".
pub(super) fn is_other_way(plain: &[Token]) -> bool {
    is_whole(
        plain,
        "\
            and? now? in? the? other|opposite way|direction|side round|around?; undo that|it|this; reverse \
            that|it|this; and? now? the? opposite; other|opposite way|direction round|around?; now? the \
            reverse; the? other way round|around?; now? do the? opposite|reverse; and? do? it|that the? \
            other|opposite way round|around?; now? go|turn|drive|spin the? other way round|around?; back the \
            other way",
    )
}

/// "Now back", "and come back", "go back".
pub(super) fn is_back(plain: &[Token]) -> bool {
    is_whole(
        plain,
        "\
            and? now? back again?; and? now? go|come|drive|move|turn|roll|get straight? back again?; and? \
            now? return; back to where you were|started; and? now? go|come|drive|move|turn|roll back to \
            where you were|started|began; and? now? back to the? start",
    )
}
