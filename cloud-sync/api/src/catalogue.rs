//! Every problem type with its page: the words behind `/problems/<slug>`. It holds texts only.

use http::StatusCode;

/// One problem type. Types are never renamed: programs compare `uri`.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Name in the path, such as `lease-held`.
    pub slug: &'static str,
    /// `/problems/<slug>`.
    pub uri: &'static str,
    /// HTTP status.
    pub status: u16,
    /// HTTP status as text.
    pub status_text: &'static str,
    /// The type in a few words.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What helps.
    pub remedy: &'static str,
}

impl Kind {
    /// HTTP status as a type.
    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

macro_rules! kinds {
    ($($name:ident $status:literal $slug:literal $title:literal $meaning:literal $remedy:literal;)*) => {
        $(
            #[doc = concat!($status, " `", $slug, "`.")]
            pub static $name: Kind = Kind {
                slug: $slug,
                uri: concat!("/problems/", $slug),
                status: $status,
                status_text: stringify!($status),
                title: $title,
                meaning: $meaning,
                remedy: $remedy,
            };
        )*
        /// All types, in the order of their status.
        pub static ALL: &[&Kind] = &[$(&$name),*];
    };
}

kinds! {
    BAD_REQUEST 400 "bad-request" "The request cannot be read"
        "The body is not JSON, a value has the wrong type, a field is missing, or under /api/robot a field is unknown. The member \"field\" names the one at fault where it is known."
        "Compare the request with its schema under /docs. Numbers must be finite; field names carry their unit.";
    NO_TOKEN 401 "no-token" "No valid token"
        "The request carries no token, or one that is unknown or was revoked."
        "Send \"Authorization: Bearer <token>\". The owner's token lies in the file owner-token of the data folder; \"token create\" makes further ones. A browser opens the ready URL once and then uses its cookie.";
    NO_RIGHT 403 "no-right" "Not allowed"
        "The token lacks the scope that the route asks for, its class is too low, the row belongs to another user, or a browser came from a foreign Origin or by an unknown Host."
        "Create a token with the scope named in the answer. For a host name of your own add it to [http] hosts in the configuration.";
    NOT_FOUND 404 "not-found" "Not found"
        "There is no such route, or no such thing, or it belongs to somebody else: these give the same answer on purpose."
        "Look at /docs for the routes and list the things you may see.";
    WRONG_METHOD 405 "wrong-method" "Wrong method"
        "The route exists, but not with this method."
        "The header Allow names the methods that it has.";
    LEASE_HELD 409 "lease-held" "Somebody else drives"
        "Another token holds the lease of this part of the body. The answer names holder and class."
        "Wait, ask them, or take over with POST /api/robot/leases: a higher class takes over at once, an equal one with \"take_over\": true.";
    LEASE_NEEDED 409 "lease-needed" "Take a lease first"
        "This token does not get a lease by itself: it is of class autonomy or ai, or it was refused within the last second."
        "POST /api/robot/leases with the resource, then send its id along as \"lease\".";
    CLOSED 409 "closed" "Closed until a person opens it"
        "Something stopped base or head, and it stays closed until a person takes it. The answer says what closed it and when."
        "Look at the robot. Then a person of class local or remote opens it with POST /api/robot/leases.";
    NOBODY_PRESENT 409 "nobody-present" "Nobody is there"
        "A model moves the body only while a person is with it: somebody with the right to drive holds the lease on presence, or wrote a message within the last 30 s. A chat names this as the problem of a call."
        "Write to it, or hold POST /api/robot/leases {\"resource\":\"presence\"} while you are there.";
    NEUTRAL_FIRST 409 "neutral-first" "Let go of the stick first"
        "The first teleop frame, or the first after a pause or a stop, must be zero, so that a stick held forward never starts the robot."
        "Send one frame with both speeds at zero, then go on.";
    NEWER_ESTOP 409 "newer-estop" "The e-stop was pressed again"
        "The e-stop has a newer epoch than the one you asked to reset."
        "Find out why it was pressed. GET /api/robot/estop gives the epoch that a reset must name.";
    VERSION_CONFLICT 409 "version-conflict" "Changed meanwhile"
        "Somebody else wrote this after you read it."
        "Read it again, merge, and write with the new version.";
    STALE 410 "stale" "Too old"
        "The command echoes a state of the robot that is too old, of another run, or from the future; or it waited while the robot stood still. It is dropped, so that nothing that was held back moves the body."
        "Read the state again and echo its newest \"seen\".";
    LEASE_GONE 410 "lease-gone" "The lease has ended"
        "The lease ran out, was released, or was ended by a stop. Renewing never brings it back."
        "POST /api/robot/leases takes a new one.";
    NOT_RISING 410 "not-rising" "Out of order"
        "seq is not above the newest one accepted in this lease or socket: the command is a repetition or came late."
        "Count seq upwards with every command.";
    TOO_LONG 413 "too-long" "Too long"
        "The body, or a text in it, is longer than the limit that the answer names."
        "Send less, or split it.";
    OUT_OF_RANGE 422 "out-of-range" "Number out of range"
        "A number is outside its hard range: the answer gives the field, min and max. Or a mood does not fit the person and the attraction it is for: the answer says why."
        "Stay within min and max. A speed within them but above what is allowed right now is not refused, only limited.";
    ESTOP_LATCHED 423 "estop-latched" "E-stop"
        "The e-stop is latched; nothing moves until it is reset. It is a software stop and no certified safety device."
        "Remove the cause. Then a person beside the robot, with scope admin, sends POST /api/robot/estop/reset with the epoch.";
    TOO_NEW 426 "too-new" "A newer version"
        "A robot speaks a newer version of sync than this cloud."
        "Update the cloud; the robot keeps everything until then, and goes on by itself.";
    RATE_LIMITED 429 "rate-limited" "Too many requests"
        "This token, or on open routes this address, sent more requests than allowed. stop and estop are never limited while something is left to stop."
        "Wait as long as Retry-After says. The limits stand in [limits] of the configuration.";
    STARTING 503 "starting" "Still starting"
        "The program has started but does not know yet how the body stands."
        "Try again in a moment; /health tells when it is ready.";
    LINK_DOWN 503 "link-down" "The microcontroller does not answer"
        "The link to the microcontroller is down. It stops the body by itself."
        "Look at cable, port and power; \"robbie-agent doctor\" says what is wrong.";
    ROBOT_AWAY 503 "robot-away" "The robot is away"
        "The robot is not connected to the cloud at the moment."
        "Ask the robot directly in its own network, or try again later.";
    MEMORY_FULL 503 "memory-full" "The memory is full"
        "There is no room left where the memory is kept. Nothing was written, and nothing that was written before is lost: memory is never thrown away to make room."
        "Make room on the disk, or delete what is no longer needed; reading and finding go on. Then send the same request again.";
    MEMORY_DOWN 503 "memory-down" "The memory does not answer"
        "The memory cannot be read or written at the moment. Whether a write that got this answer was kept is not known."
        "Look at /health. Send the same request again: with an id of your own a note is written once, however often it is sent.";
    TIER_DOWN 503 "tier-down" "No model can answer"
        "None of the configured models answers."
        "/health names what is missing.";
}

/// The type of that name.
pub fn find(slug: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.slug == slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_can_be_looked_up_once() {
        // A link in an answer leads to exactly one page.
        for kind in ALL {
            assert!(std::ptr::eq(find(kind.slug).unwrap(), *kind), "{} stands twice", kind.slug);
            assert_eq!(kind.status_code().as_u16(), kind.status);
        }
        assert_eq!(find("nothing"), None);
    }
}
