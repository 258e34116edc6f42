//! In which town a request acts, and whose assistant it meets there.
//!
//! On a robot everybody is at home in one place, which changes when the robot is paired; in the cloud each token has a town.

use cloud_sync_protocol::store::Whose;
use tokio::sync::watch;

use crate::access::Principal;

/// A town, and the user whom the assistant belongs to there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The town whose rows are served; `home` on a robot that is not paired.
    pub town: String,
    /// The user whom the assistant belongs to; `owner` on a robot that is not paired.
    pub owner: String,
}

impl Home {
    /// Of a robot that is not paired.
    pub fn unpaired() -> Self {
        let Whose { town, user } = Whose::unpaired();
        Self { town, owner: user }
    }

    /// The owner's rows.
    pub fn of_owner(&self) -> Whose {
        Whose { town: self.town.clone(), user: self.owner.clone() }
    }
}

/// The home of a whole program, as it is now. Cheap to clone; all clones see a change at once.
#[derive(Clone, Debug)]
pub struct SharedHome(watch::Sender<Home>);

impl SharedHome {
    /// At first.
    pub fn new(home: Home) -> Self {
        Self(watch::Sender::new(home))
    }

    /// As it is now.
    pub fn now(&self) -> Home {
        self.0.borrow().clone()
    }

    /// From now on it is this one.
    pub fn set(&self, home: Home) {
        self.0.send_replace(home);
    }

    /// To wait for a change.
    pub fn changes(&self) -> watch::Receiver<Home> {
        self.0.subscribe()
    }
}

/// How a program finds the home of a request.
#[derive(Clone, Debug)]
pub enum Homes {
    /// The same for everybody: a robot.
    Shared(SharedHome),
    /// The one that the token names: the cloud. A token without one is at home nowhere, and finds nothing.
    OfToken,
}

impl Homes {
    /// The home of a request.
    pub fn of(&self, principal: &Principal) -> Home {
        match self {
            Self::Shared(home) => home.now(),
            Self::OfToken => principal.entry.home.clone().unwrap_or(NOWHERE),
        }
    }

    /// Completes when everybody here is at home in another town than this one. A token's home never changes.
    pub async fn until_moved(&self, town: &str) {
        match self {
            // Cannot end before: we hold the sender.
            Self::Shared(home) => drop(home.changes().wait_for(|home| home.town != town).await),
            Self::OfToken => std::future::pending().await,
        }
    }
}

/// No town has an empty name, and no user.
const NOWHERE: Home = Home { town: String::new(), owner: String::new() };
