//! Tells the cloud what happened to the body and its health; never what a user wrote.

use agent_core::refusal::ClosedBy;
use agent_core::snapshot::Closed;
use serde_json::{Value, json};

use crate::drive::robot::Robot;
use crate::drive::shown::Shown;
use crate::drive::wire::ids::SeenBody;
use crate::link::Link;

/// What is compared from one look to the next.
#[derive(Clone, Debug, PartialEq)]
struct Marks {
    estop: (bool, u32),
    base: Option<Closed>,
    head: Option<Closed>,
    is_link_up: bool,
    fault: Option<String>,
}

impl Marks {
    fn of(shown: &Shown) -> Self {
        Self {
            estop: (shown.estop.latched, shown.estop.epoch),
            base: shown.base_closed,
            head: shown.head_closed,
            is_link_up: shown.link_up,
            fault: shown.fault.map(|fault| fault.to_string()),
        }
    }

    /// What happened between two looks.
    fn since(&self, before: &Self, shown: &Shown) -> Vec<(&'static str, Value)> {
        let mut events = Vec::new();
        if self.estop != before.estop {
            let estop = &shown.estop;
            let said = json!({
                "latched": estop.latched,
                "epoch": estop.epoch,
                "reason": estop.reason.as_str(),
                "source": estop.source.as_str(),
            });
            events.push(("estop", said));
        }
        let limbs = [("base", before.base, self.base), ("head", before.head, self.head)];
        for (resource, _, now) in limbs.into_iter().filter(|(_, before, now)| before != now) {
            let kind = match now {
                Some(Closed { by: ClosedBy::Stop, .. }) => "stop",
                Some(_) => "closed",
                None => "opened",
            };
            let said = json!({
                "resource": resource,
                "by": now.map(|closed| closed.by.as_str()),
                "reason": now.map(|closed| closed.reason.to_string()),
            });
            events.push((kind, said));
        }
        if (self.is_link_up, &self.fault) != (before.is_link_up, &before.fault) {
            let up = if self.is_link_up { "up" } else { "down" };
            events.push(("link", json!({ "link": up, "fault": self.fault })));
        }
        events
    }
}

/// Tells it for ever.
pub(super) async fn tell(robot: &Robot, link: &Link) {
    let mut marks = Marks::of(&robot.drive.snapshot());
    loop {
        robot.drive.until(|shown| Marks::of(shown) != marks).await;
        let shown = robot.drive.snapshot();
        let now = Marks::of(&shown);
        for (kind, mut event) in now.since(&marks, &shown) {
            let seen = SeenBody::new(robot.identity.run, shown.at.as_ms());
            event["seen"] = serde_json::to_value(seen).unwrap_or_default();
            link.tell(kind, &event);
        }
        marks = now;
    }
}
