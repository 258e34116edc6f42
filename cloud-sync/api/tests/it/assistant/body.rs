//! No body at all, as a cloud without a robot has it.

use cloud_sync_api::access::Principal;
use cloud_sync_api::assistant::body::{Body, Done};
use cloud_sync_protocol::persona::Mood;
use jiff::Zoned;
use models_mind::bounds::Bounds;
use models_mind::skills::{Call, Skill};

#[derive(Clone, Debug)]
pub(super) struct NoBody;

impl Body for NoBody {
    type Errand = ();

    fn skills(&self) -> Vec<Skill> {
        Vec::new()
    }

    fn bounds(&self) -> Bounds {
        Bounds::default()
    }

    fn clock(&self) -> Option<Zoned> {
        None
    }

    async fn stop(&self, _by: &Principal) -> Done {
        Done::Well("There is nothing to stop.".to_owned())
    }

    async fn errand(&self, _by: &Principal) {}

    async fn show(&self, (): &mut (), _mood: Mood) {}

    async fn carry_out(&self, (): &mut (), _call: &Call) -> Done {
        Done::Unable { problem: "not-built", detail: "I have no body here.".to_owned() }
    }
}
