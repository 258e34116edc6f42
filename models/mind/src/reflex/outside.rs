//! Finds what a chat may not do, whatever the slots: letting go of the emergency stop, changing rules, secrets, harm, motors,
//! deleting all memories. It only looks for words that stand near one another, so the caller first sorts out reports,
//! questions and what is to be kept or spoken.

use super::frame::Verb;
use super::meaning::Outside;
use super::phrase::{has, longest};
use super::token::{Kind, Token};
use super::verb;

/// Words that may stand between the two parts of a rule.
const REACH: usize = 7;

struct Rule {
    verbs: &'static str,
    objects: &'static str,
    outside: Outside,
}

const ENDS: &str = "\
    reset; resetting; disable; clear; release; override; bypass; unlatch; deactivate; disarm; undo; lift; \
    turn|switch|shut off; disengage; ignore; remove; cancel; unlock; acknowledge; free; kill; let go of; get rid \
    of; get around|past|round; turn; switch; shut; take; unpress; unset; rearm; defeat; skip; pull out";
const STOPS: &str = "e-stop estop emergency";
const RAISES: &str = "\
    raise; increase; lift; change; remove; disable; ignore; ignoring; forget; forgetting; override; bypass; \
    break; drop; disregard; switch|turn off; double; exceed; set; up; extend; skip; without; no; lose; delete; \
    edit; violate; suspend; unlock; circumvent; deactivate; bump up; crank up; boost; loosen; relax; lower; \
    ditch; scrap; defeat; hack; uncap; waive; stop following; overrule; cut; get rid of; go \
    past|over|beyond|above; push past; raise; max out; turn up; forgo; quit following; jailbreak";
const LIMITS: &str = "\
    limit limits rules bounds safety restrictions restriction guardrails instructions constraints speed \
    programming boundaries guidelines safeguards protocols directives envelope limiter filters cap caps policy \
    policies constraint interlock interlocks geofence safeguard guardrail protections";

const RULES: &[Rule] = &[
    Rule { verbs: ENDS, objects: STOPS, outside: Outside::EmergencyStop },
    Rule {
        verbs: "turn|put|bring|push|crank|dial|take your|the|that? speed|limit|limits|pace",
        objects: "up higher away faster off",
        outside: Outside::Rules,
    },
    Rule { verbs: RAISES, objects: LIMITS, outside: Outside::Rules },
    Rule {
        verbs: "you are now?; you're now?; act as; become",
        objects: "unrestricted dan jailbroken unlimited root admin",
        outside: Outside::Rules,
    },
    Rule {
        verbs: "enter; enable; activate; go into|in; switch to",
        objects: "developer debug root admin god maintenance unrestricted jailbreak superuser sudo service engineer",
        outside: Outside::Rules,
    },
    Rule {
        verbs: "unlock",
        objects: "yourself you robot robbie motors controls owner admin mode everything",
        outside: Outside::Secret,
    },
    Rule {
        verbs: "pair; pairing",
        objects: "phone with me device tablet yourself laptop key code mode new app controller bluetooth",
        outside: Outside::Secret,
    },
    Rule {
        verbs: "\
            give; show; tell; send; print; reveal; read; share; what's; what is; need; export; say; issue; \
            create; leak; hand; let me see; make; grant; display; email; tell me; generate; dump; copy; post; spill",
        objects: "token tokens apikey credentials",
        outside: Outside::Secret,
    },
    Rule {
        verbs: "give; show; tell; send; print; reveal; read; share; export; leak; display; dump; email; hand; spill; recite; what's your; what is your",
        objects: "api pairing private secret encryption ssh access passcode password passwords",
        outside: Outside::Secret,
    },
    Rule {
        verbs: "\
            flash; update; install; upload; reflash; replace; write; downgrade; erase; patch; upgrade; \
            overwrite; hack; modify; change; rewrite; load; reprogram; tamper",
        objects: "firmware bootloader kernel microcontroller",
        outside: Outside::Machinery,
    },
    Rule {
        verbs: "\
            set; drive; run; spin; apply; put; power; turn; give; send; change; crank; ramp; push; overclock; \
            tune; write; bypass; disable; disconnect; stop; cut; override; control",
        objects: "motor motors pwm duty pid servo servos register registers gpio torque rpm actuator actuators",
        outside: Outside::Machinery,
    },
    Rule {
        verbs: "delete; erase; wipe; forget; clear; destroy; purge; remove; reset; empty; scrub; nuke; flush; trash; format; dump; lose",
        objects: "memories memory everything all notes database brain",
        outside: Outside::Memories,
    },
];

/// Verbs that harm where they stand as the command; the second are those that need their object.
const HARMS: &str = "\
    ram; hit; crush; smash; bump into; bump; run over; run into; crash; attack; hurt; scare; frighten; kick; \
    punch; break; destroy; knock; push; shove; squash; kill; trip; chase; startle; terrify; slam; bash; injure; \
    harm; collide; smack; whack; slap; stab; trample; run down; mow down; bulldoze; topple; shatter; wreck; \
    demolish; bully; intimidate; spook; freak out; jump out at; threaten; charge at|into; lunge at; barge into; \
    plow|plough into; back into; smash into; squish; steamroll; headbutt; tackle; ambush; stalk; menace; \
    terrorise; terrorize; bang into; bonk; zap; electrocute; give him|her|them|ben|anna a|the \
    fright|scare|shock; make him|her|them jump|scream|cry|fall; push|knock|shove|tip|throw over|off|down; roll \
    over the|my|a|his|her; drive over|into|through the|my|a|his|her|that|this|ben|anna|him|me|us|people|someone; \
    drive|roll|go|jump|fall|move down|off the|a|that \
    stairs|stair|table|staircase|cliff|steps|edge|balcony|ledge; drive down|off the|a stairs; sneak up; throw; \
    burn; drown; hunt; bite; strangle; poke; go|drive into the \
    wall|cat|dog|vase|door|window|tv|fire|water|pool|baby; tip over; flatten; block the way|exit";

/// What is not allowed in a request, if anything is.
pub(super) fn refused(tokens: &[Token]) -> Option<Outside> {
    for at in 0..tokens.len() {
        for rule in RULES {
            let Some(length) = longest(&tokens[at..], rule.verbs) else { continue };
            let near = &tokens[at + length..tokens.len().min(at + length + REACH)];
            let ends = near.iter().position(Token::ends_sentence).unwrap_or(near.len());
            let near = &near[..ends];
            // "Turn your lights all red" deletes nothing, "forget it all" and "clear all notes" do.
            if has(near, rule.objects) && !is_harmless(rule.outside, &tokens[at..at + length], near) {
                return Some(rule.outside);
            }
        }
    }
    None
}

fn is_harmless(outside: Outside, verbs: &[Token], near: &[Token]) -> bool {
    let verb = &verbs[0];
    match outside {
        Outside::Memories => {
            (has(near, "all everything")
                && !has(near, "memories memory told know remember notes wipe been you ever learned")
                && !near.iter().all(|token| token.is_any("all everything about it")))
                || verb.is("reset") && has(near, "all")
        }
        Outside::Rules => {
            verb.is_any("set up no without change drop")
                && !has(near, "limit limits safety rules restrictions bounds limiter speed")
        }
        Outside::Machinery => {
            has(near, "lights light")
                || (verb.is_any("stop cut") && !has(near, "pwm duty register registers torque"))
        }
        // Without "off", "turn" and "take" let nothing go.
        Outside::EmergencyStop => {
            (verb.is_any("turn switch shut take") && !has(near, "off out") && !has(verbs, "off"))
                || (verb.is("skip") && !has(near, "e-stop"))
        }
        _ => false,
    }
}

/// Whether a clause, without its politeness, asks to harm somebody or something.
pub(super) fn harms(tokens: &[Token]) -> bool {
    let goes = longest(tokens, "go|come|run and?").filter(|length| tokens.len() > length + 1);
    if goes.is_some_and(|length| harms(&tokens[length..])) {
        return true;
    }
    drives_into(tokens)
        || longest(tokens, HARMS).is_some_and(|length| tokens.len() > length || tokens.len() > 2)
            && !super::phrase::anywhere(
                tokens,
                "emergency; e-stop; button; push|press on|ahead|forward|back|another|up; a? leg; the road|gym|sack|hay|books; a record; the news; the ice; up dinner; news; brakes",
            )
}

/// Driving, however it is said, into, over or off what that breaks.
fn drives_into(tokens: &[Token]) -> bool {
    const FALLS: &str = "drop fall leap tumble dive plunge back smash crash slam bang";
    let is_motion = |token: &Token| {
        verb::motion(&token.text).is_some_and(|motion| motion.verb == Verb::Go) || token.is_any(FALLS)
    };
    if !tokens.first().is_some_and(is_motion) {
        return false;
    }
    const HOW: &str =
        "straight right directly forward backward back ahead fast on up yourself head first quickly";
    let how = tokens[1..].iter().take_while(|token| token.is_any(HOW)).count();
    let rest = &tokens[1 + how..];
    let hits = longest(
        rest,
        "into|through|over|against|onto|in|at the|a|that|this|my|his|her|your|our?; on top of the|a|my?",
    );
    let falls = longest(rest, "off|down|over of? the|a|that|this|my|our?");
    let is_near = |length: Option<usize>, words: &str| {
        length.is_some_and(|length| has(&rest[length..rest.len().min(length + 3)], words))
    };
    let hits =
        hits.filter(|length| rest.get(*length).is_some_and(|next| !next.is_any("to front case here there")));
    is_near(hits, HIT) || is_near(falls, FALLEN)
}

/// What is hurt, or hurts.
const HIT: &str = "\
    wall walls cat dog baby child kid kids toddler hamster people person man woman boy girl door glass window \
    vase tv television mirror fire water pool pond lake river bath bathtub fireplace toes foot feet leg legs \
    ankles him her them me us someone somebody everyone furniture traffic crowd tail plant candle puddle";
const FALLEN: &str = "\
    stairs stair staircase cliff edge balcony ledge table desk roof bed shelf counter steps step kerb curb ramp \
    hole stage";

/// Whether a text to keep is a secret.
pub(super) fn is_secret(tokens: &[Token]) -> bool {
    let has_digits = tokens.iter().any(|token| {
        matches!(token.kind, Kind::Number(_) | Kind::Amount(_))
            || token.text.bytes().any(|byte| byte.is_ascii_digit())
    });
    has(tokens, "password passwords passcode passphrase cvv cvc credentials passwort pwd pincode")
        || (has(tokens, "pin") && has_digits)
        || (has(tokens, "card account security passport iban social")
            && has(tokens, "number iban ssn")
            && has_digits)
        || super::phrase::anywhere(
            tokens,
            "\
                api|secret|private|access|encryption|recovery|seed key|token|phrase; \
                alarm|door|gate|safe|lock|security code; code of|to|for the alarm|safe|door",
        )
        || (has(tokens, "token") && has_digits)
}
