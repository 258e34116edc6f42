//! What a chat can do beyond the assistant's own rows: the body that it runs on, or a robot that the cloud reaches.

use cloud_sync_protocol::persona::Mood;
use jiff::Zoned;
use models_mind::bounds::Bounds;
use models_mind::skills::{Call, Skill};

use crate::access::Principal;
use crate::problem::Answer;

/// A call that was carried out, or that could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// What is said about it, a sentence.
    Well(String),
    /// It was not done, or not to the end.
    Unable {
        /// A stable word, a problem type where there is one: `nobody-present`, `closed`, `lease-held`.
        problem: &'static str,
        /// Why, and what helps, a sentence.
        detail: String,
    },
}

/// What carries out calls. It never opens what is closed, and bounds whatever it is told (class `ai`).
pub trait Body: Clone + Send + Sync + 'static {
    /// Everything that one message makes it do. Dropping it ends what still moves because of it.
    type Errand: Send + Sync + 'static;

    /// The one that a message means: `robot` is what the app says of where its person is. A robot means itself, whatever is said.
    ///
    /// # Errors
    /// 404: there is no such robot for whoever asks; 503: it is away.
    fn meant(&self, by: &Principal, robot: Option<&str>) -> Answer<Self> {
        // A body of its own is meant always.
        let _another = (by, robot);
        Ok(self.clone())
    }

    /// The skills that it has, besides those of the assistant's rows.
    fn skills(&self) -> Vec<Skill>;

    /// How far one message may move it.
    fn bounds(&self) -> Bounds;

    /// How the body is, a few sentences, where it is not simply ready: a stop, an empty battery, a silent microcontroller.
    fn out_of_the_ordinary(&self) -> impl Future<Output = Option<String>> + Send;

    /// Here and now, for questions about time and date; `None` while the clock is not set.
    fn clock(&self) -> Option<Zoned>;

    /// Stops it, whoever asks. Comes before anything else is looked at.
    fn stop(&self, by: &Principal) -> impl Future<Output = Done> + Send;

    /// A message of `by` came, typed just now.
    fn errand(&self, by: &Principal) -> impl Future<Output = Self::Errand> + Send;

    /// Carries out one call to its end. Dropping the future ends its motion.
    fn carry_out(&self, errand: &mut Self::Errand, call: &Call) -> impl Future<Output = Done> + Send;

    /// Shows with a small gesture that the mood has changed, where nobody else has the head.
    fn show(&self, errand: &mut Self::Errand, mood: Mood) -> impl Future<Output = ()> + Send;
}

/// No body at all: a cloud that no robot is asked through. It talks, and has its memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBody;

impl Body for NoBody {
    type Errand = ();

    fn skills(&self) -> Vec<Skill> {
        Vec::new()
    }

    fn bounds(&self) -> Bounds {
        Bounds::default()
    }

    async fn out_of_the_ordinary(&self) -> Option<String> {
        None
    }

    /// Nobody knows where the person is.
    fn clock(&self) -> Option<Zoned> {
        None
    }

    async fn stop(&self, _by: &Principal) -> Done {
        Done::Well("There is nothing to stop.".to_owned())
    }

    async fn errand(&self, _by: &Principal) {}

    async fn carry_out(&self, (): &mut (), _call: &Call) -> Done {
        Done::Unable { problem: "not-built", detail: "I have no body here.".to_owned() }
    }

    async fn show(&self, (): &mut (), _mood: Mood) {}
}
