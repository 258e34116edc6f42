//! A body that can drive, and remembers what it was made to do.

use std::sync::{Arc, Mutex};

use cloud_sync_api::access::Principal;
use cloud_sync_api::assistant::body::{Body, Done};
use cloud_sync_protocol::persona::Mood;
use jiff::Zoned;
use models_mind::bounds::Bounds;
use models_mind::skills::{Call, Skill};

/// A drive of this length runs into something.
pub(super) const WALL_M: f64 = 0.25;
/// A drive of this length never ends by itself.
pub(super) const LONG_M: f64 = 1.25;

#[derive(Clone, Default)]
pub(super) struct Legs {
    pub(super) done: Arc<Mutex<Vec<Call>>>,
}

impl Legs {
    pub(super) fn done(&self) -> Vec<Call> {
        self.done.lock().unwrap().clone()
    }
}

impl Body for Legs {
    type Errand = ();

    fn skills(&self) -> Vec<Skill> {
        vec![Skill::Drive, Skill::Turn, Skill::Look, Skill::Battery]
    }

    fn bounds(&self) -> Bounds {
        Bounds::default()
    }

    async fn out_of_the_ordinary(&self) -> Option<String> {
        None
    }

    fn clock(&self) -> Option<Zoned> {
        None
    }

    async fn stop(&self, _by: &Principal) -> Done {
        self.done.lock().unwrap().push(Call::Stop);
        Done::Well("I stopped.".to_owned())
    }

    async fn errand(&self, _by: &Principal) {}

    async fn carry_out(&self, (): &mut (), call: &Call) -> Done {
        self.done.lock().unwrap().push(call.clone());
        match call {
            Call::Drive { distance_m } if *distance_m == WALL_M => {
                Done::Unable { problem: "blocked", detail: "There is a wall.".to_owned() }
            }
            Call::Drive { distance_m } if *distance_m == LONG_M => std::future::pending().await,
            _ => Done::Well("I did that.".to_owned()),
        }
    }

    async fn show(&self, (): &mut (), _mood: Mood) {}
}
