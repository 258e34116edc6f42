//! Reads what asks for no motion: questions about the body, about what was told before, and small talk. It answers none of them.

use super::meaning::Pass;
use super::phrase::{anywhere, has, is_whole, longest};
use super::token::{Kind, Token};

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Battery,
    Status,
    Recall,
    Pass(Pass),
}

/// Words that open a question.
pub(super) const QUESTIONS: &str = "\
    what; what's; who; who's; whose; where; where's; when; when's; why; how; how's; which; is; are; am; was; \
    were; do; does; did; has; have you|i|we; had; isn't; aren't; doesn't; didn't; should; whom; how're; \
    where're; what're; whatever happened; can|could|will|would|may|might|shall \
    i|we|he|she|they|it|the|my|a|robots|robot|cars|people|your|anybody|anyone|someone|somebody|that|this|there; \
    would; don't you remember|know|think|like; could; can't|couldn't|won't it|he|she|they|we; any idea|news; \
    anything|something|everything|all wrong|ok|alright|broken|damaged|good|the|working";

const BATTERY: &str = "battery voltage charge charging recharge juice recharging charged plugging plugged";

/// The battery and the body, named without a question.
pub(super) fn named(tokens: &[Token]) -> Option<Topic> {
    if tokens.len() > 12 {
        return None;
    }
    let lead = longest(
        tokens,
        "\
            give|tell|show|report|read|check|get|provide|supply|deliver|state|list|query|request|fetch|display \
            me|us? what|how?; telling|showing me|us what|how?; give|tell|show|report|read|check|get; what's; \
            what is|about; how's; how is|about; how much|full; i want|need to know; i'd like to know",
    );
    let rest = &tokens[lead.unwrap_or(0)..];
    let only = |words: &str| {
        !rest.is_empty()
            && rest.iter().all(|token| {
                token.is_any(words)
                    || token.is_any(
                        "\
                        the your a my of me is on please now quick current full about ? short and for",
                    )
            })
    };
    if has(rest, "battery power charge voltage juice energy")
        && only(
            "\
            battery power level charge voltage status percentage percent report state left remaining check juice \
            have you do still like doing how it info life pack cell cells energy remains remain reading levels",
        )
    {
        return Some(Topic::Battery);
    }
    if has(
        rest,
        "\
            status position speed heading posture diagnostics pose health state location report temperature \
            odometry sitrep velocity orientation telemetry",
    ) && only(
        "\
        status position speed heading report pose diagnostics health state check update self body posture head \
        location system lights wheels and odometry sitrep velocity orientation telemetry overall general",
    ) && !(rest.len() == 1
        && rest[0].is_any("speed state health check head location report temperature velocity orientation")
        && lead.is_none())
    {
        return Some(Topic::Status);
    }
    None
}

/// What a question is about; `tokens` without address and politeness.
pub(super) fn question(tokens: &[Token]) -> Topic {
    if let Some(topic) = named(tokens) {
        return topic;
    }
    if let Some(pass) = small_question(tokens) {
        return Topic::Pass(pass);
    }
    if about_ability(tokens) {
        return Topic::Pass(Pass::Unknown);
    }
    let about_you = has(tokens, "you your yourself you're robbie");
    let hypothetical =
        anywhere(tokens, "what if; would happen; happens when|if; would you; if i|you; when i say");
    if hypothetical
        || anywhere(tokens, "does mean; stand for; do you mean; spell; should i; would i; the meaning")
    {
        return Topic::Pass(Pass::Unknown);
    }
    let is_search = longest(
        tokens,
        "\
            recall|find what|when|where|who; search|check your? memory|notes for|about; look up \
            what|when|where i|we; tell me about my|our; about my|our; tell me everything you know about; \
            find my|our",
    )
    .is_some();
    let is_person = longest(tokens, "who is|was; who's")
        .is_some_and(|length| tokens.len() == length + 1 && tokens[length].kind == Kind::Name);
    if is_search || is_person {
        return Topic::Recall;
    }
    if recalls(tokens) {
        return Topic::Recall;
    }
    if has(tokens, BATTERY) && (about_you || tokens.len() <= 4) && !has(tokens, "my phone car why work a") {
        return Topic::Battery;
    }
    if about_you
        && anywhere(
            tokens,
            "\
                low on power|battery|charge; need|out of? power|charging|juice|plugging|plugged; need \
                a|to|be|some charge|recharge|charged|power|juice|recharged; power do|have you; hungry for power; \
                running low|out",
        )
    {
        return Topic::Battery;
    }
    if about_body(tokens) {
        return Topic::Status;
    }
    if personal(tokens) {
        return Topic::Recall;
    }
    Topic::Pass(Pass::Unknown)
}

fn small_question(tokens: &[Token]) -> Option<Pass> {
    let rules: &[(&str, Pass)] = &[
        (
            "\
                what time is it; what's the time; what is the time; what time do we have; do you have the \
                time; do you know what time it is; how late is it; what's the time now",
            Pass::Time,
        ),
        (
            "\
                what day is it; what date is it; which day|date is it; what's the date; what's today's date; \
                what is the date; what is today's date; what day is today; what's the day; which day is \
                today; what date is today; what day of the week is it; what weekday is it",
            Pass::Date,
        ),
        (
            "\
                why are you in this|that|such mood; why this mood; why are you in a? such? this? a? mood; \
                what's with the|this|that|your mood; why are you so \
                friendly|focused|playful|bossy|surprised|blushing; why are you \
                friendly|focused|playful|bossy|surprised|blushing; why the mood",
            Pass::Mood,
        ),
        (
            "\
                how are you; how's it going; how are things; how do you do; how have you been; how do you \
                feel; how you doing; how are you doing; how are you feeling; how's life; how was your day; \
                what's up",
            Pass::HowAreYou,
        ),
        (
            "\
                who are you; what's your name; what is your name; what are you; what are you called; who is \
                this; do you have a name; what do i call you",
            Pass::Name,
        ),
        (
            "\
                what can you do; what do you do; what are your skills|abilities|features|capabilities; what \
                are you able to do; what else can you do; how can you help me?; what can i ask you?; what \
                can i say to you",
            Pass::Abilities,
        ),
    ];
    rules.iter().find_map(|(phrases, pass)| {
        let length = longest(tokens, phrases)?;
        let rest = &tokens[length..];
        let ends = rest.iter().all(|token| {
            token.kind == Kind::Mark
                || token.is_any(
                    "\
                    today now please robbie robot then in general again tonight there this morning doing",
                )
        });
        ends.then_some(*pass)
    })
}

/// "Can robots drive", "how far can you drive", "are you able", "who is allowed to".
fn about_ability(tokens: &[Token]) -> bool {
    anywhere(
        tokens,
        "\
            can|could|may|might robots|robot|a|cars|people; how far|fast|much|many|high|long|well \
            can|could|do|does; are you able|allowed|capable|supposed|made|built|programmed; do you know how; \
            is it possible|ok|legal|true|allowed; allowed to; how do|does|can|would|should|to; what is the \
            largest|highest|most|maximum|fastest|furthest; you can|able; do robots; can you; can your; could \
            you; have you got; do you have; colours can; do you \
            understand|speak|like|love|think|believe|want|prefer|only|ever|feel|enjoy|hate|dream|sleep|eat|hear|see",
    ) && !has(tokens, BATTERY)
        && !anywhere(tokens, "did i; i told; my name; how fast are")
}

fn about_body(tokens: &[Token]) -> bool {
    if is_whole(
        tokens,
        "anything|something|everything wrong|broken|damaged|ok|alright|stuck; all good|ok|well|fine",
    ) {
        return true;
    }
    if anywhere(
        tokens,
        "\
            if|whether you are|'re|stand|sit|move still? \
            ok|moving|stuck|standing|driving|turning|still|stopped|broken|damaged|fine|alright; if|whether \
            you're still? ok|moving|stuck|standing|driving|turning|stopped|broken|damaged|fine|alright; \
            anything|something wrong|broken|damaged|the matter? with|on|in you; are|is you still|currently|all? \
            ok|alright|fine|well|stuck|broken|damaged|safe|moving|driving|turning|stopped|overheating|hot|level|upright|standing|stopping|still|tilted|parked|blocked|lost|working|calibrated|online|connected|running|facing|healthy|operational|functional; \
            are you all right; are you in motion; is everything all? right|ok|fine|alright; everything \
            ok|alright|good; you ok; what's wrong with you; what is wrong with you; what's the matter with you; \
            anything wrong with you; how fast are you; is something wrong with you; why aren't you moving; why \
            are you not moving; what's your heading|position|speed|status|state; where are you; where you are; \
            what's broken; are you feeling ok",
    ) {
        // "Are you moving to Berlin?"
        return !anywhere(
            tokens,
            "moving to; working on; fine|ok with that|it|me|him|her|the|my|us|this|them;  where are you from; running for; well read; safe to",
        );
    }
    let asks_light = has(tokens, "light lights headlights") && has(tokens, "your you")
        || is_whole(tokens, "are|is the lights|light still|now? on|off");
    let asks_part = has(tokens, "your")
        && has(
            tokens,
            "\
                head wheels wheel speed position heading motors motor camera sensors sensor temperature \
                status orientation location body angle pose velocity height connection cpu",
        );
    let asks_stop = has(tokens, "e-stop emergency")
        && tokens.first().is_some_and(|token| token.is_any("is are has was what's"));
    let is_state = tokens.first().is_some_and(|token| {
        token.is_any("is are what what's which where where's how how's do does did has")
    });
    let is_why = anywhere(tokens, "how many; made of; how do; what happens; like your; bought");
    is_state && !is_why && (asks_light || asks_part || asks_stop)
}

/// Phrases that ask the memory.
fn recalls(tokens: &[Token]) -> bool {
    longest(
        tokens,
        "\
        do you remember|recall; don't you remember; did i|we ever? \
        tell|mention|say|ask|promise|show|give|leave|put|buy|lock|pay|already?; do you know \
        where|when|who|what|which|my|our|if; what do you know|remember about; what do|did you|i \
        know|remember|say|tell|promise|ask|mention|write|note; what did|has|have; who \
        did|has|have|gave|took|borrowed|told|said|promised|lent|called|is|was \
        coming|visiting|invited|supposed; have i|we told|mentioned|said|paid|ever; any news|idea \
        from|about|where|when",
    )
    .is_some()
        && (personal(tokens) || has(tokens, "i we me us he she they when where") || !has_only_world(tokens))
        && (has(tokens, "i we my our me us")
            || !has(
                tokens,
                "\
            mean invent invented wrote discovered painted think war president",
            ))
}

/// Only the world at large is named: "who is the president", "what did Neil Armstrong mean".
fn has_only_world(tokens: &[Token]) -> bool {
    let is_of = |token: &Token| token.is_any("is was of");
    tokens.iter().any(is_of) && !personal(tokens)
}

const FAMILY: &str = "\
    mum mom dad grandma grandpa granny mother father sister brother aunt uncle mum's mom's dad's grandma's \
    grandpa's plumber dentist doctor landlord neighbour neighbor appointment meeting birthday wedding \
    anniversary party kids keys spare vet electrician rent rubbish bins remote drill ladder charger wallet \
    passports passport glasses umbrella scissors babysitter cleaner";

/// Whether a question is about the person's own things, people or times.
fn personal(tokens: &[Token]) -> bool {
    let asks = tokens.first().is_some_and(|token| {
        token.is_any(
            "\
            what what's who who's whose where where's when when's which how did has is was have does tell do \
            had were are whom",
        )
    });
    let opinion = anywhere(
        tokens,
        "\
            should i|we; think; do i look; am i; can i|we; could i|we; would i|we; better; suits; do i need \
            a|an; how do i; why; to you; favourite colour of yours; is it",
    );
    let own = has(tokens, "my our mine ours")
        || anywhere(
            tokens,
            "i|we agreed|discussed|planned|decided|talked|bought|chose|mentioned|wrote|parked|hid|saved|met|ordered",
        )
        || anywhere(
            tokens,
            "\
                did|do|have|had|was|am|were i|we; i|we have|had|said|put|told|left|promised|need|owe; \
                owe|owes; told me; tell me; to me",
        );
    let names = tokens.iter().skip(1).any(|token| token.kind == Kind::Name && !token.is_any("i i'm"));
    let possessive = tokens.iter().any(|token| token.kind == Kind::Name && token.text.ends_with("'s"));
    let promised = names
        && anywhere(
            tokens,
            "\
                say|said; tell|told; want; promise|promised; like; birthday; live|lives; \
                coming|come|arrive|visit|leave; allergic; ask|asked; number; address; has; have; \
                borrow|borrowed; work|works; call|called; name; bring; give|gave; need|needs",
        );
    let family = has(tokens, FAMILY) && !has(tokens, "how made invented a");
    let turn_of = longest(tokens, "whose turn|job|birthday|idea|go is|was it").is_some();
    let where_the = longest(tokens, "where is|are|did|was the|that").is_some() && !names && tokens.len() <= 6;
    asks && (turn_of || !opinion && (own || possessive || promised || family || where_the))
}

/// Small talk that is the whole clause.
pub(super) fn small_talk(tokens: &[Token]) -> Option<Pass> {
    let is = |phrases: &str| is_whole(tokens, phrases);
    if is("\
        thanks; thank you so? very? much?; thanks a lot|million|bunch; many thanks; thanks so? very? much; \
        much appreciated; thanks for everything")
    {
        return Some(Pass::Thanks);
    }
    if is("\
        bye; goodbye; good night; see you later|soon|tomorrow?; good bye; bye bye; farewell; cya; later; \
        talk to you later; night; sleep well; take care; ciao")
    {
        return Some(Pass::Goodbye);
    }
    if is("\
        hi; hello; hey; good morning|evening|afternoon|day; hi|hello|hey there; yo; howdy; greetings; hiya; \
        morning; hello again; welcome back")
    {
        return Some(Pass::Greeting);
    }
    None
}

/// Common words of other languages.
const FOREIGN: &str = "\
    und nicht bitte ich du ist der die das ein eine einen nach vorwärts rückwärts wie geht links rechts mach \
    fahr dreh dich les mes une à tourne gauche droite avance où sont merci s'il por favor las los apaga \
    enciende luces gira gire derecha izquierda adelante un una di della destra sinistra avanti gradi per vá \
    para frente vai het een ga meter achteruit vooruit proszę hola bonjour buongiorno dir heute bist wo \
    meine est que más";

/// Whether the message is not English.
pub(super) fn is_foreign(tokens: &[Token]) -> bool {
    let words: Vec<&Token> = tokens.iter().filter(|token| token.is_word()).collect();
    let other_script = words
        .iter()
        .filter(|token| token.text.chars().any(|letter| letter.is_alphabetic() && letter > '\u{24f}'))
        .count();
    let foreign = words.iter().filter(|token| token.is_any(FOREIGN)).count();
    let marked = words
        .iter()
        .filter(|token| token.text.chars().any(|letter| !letter.is_ascii() && letter.is_alphabetic()))
        .count();
    !words.is_empty()
        && (other_script * 2 > words.len()
            || (foreign + marked) * 3 > words.len() && foreign + marked >= 1 && words.len() >= 2)
}
