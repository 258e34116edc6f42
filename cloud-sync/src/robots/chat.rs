//! A chat in the cloud that moves a robot: the one that the message's app names. What a message causes is one turn on the robot,
//! which bounds it; what it is asked goes the same way as everybody's commands, as class ai.

use std::time::Duration;

use cloud_sync_api::access::Principal;
use cloud_sync_api::assistant::body::{Body, Done};
use cloud_sync_api::assistant::said;
use cloud_sync_api::catalogue;
use cloud_sync_api::problem::Answer;
use cloud_sync_api::scope::Scope;
use cloud_sync_protocol::command::{By, CommandResult, Kind};
use cloud_sync_protocol::persona::Mood;
use cloud_sync_protocol::town::RobotId;
use jiff::Zoned;
use models_mind::bounds::Bounds;
use models_mind::skills::{Call, Direction, Skill, rgb};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::reads::newest;
use super::{Robots, by};
use crate::link::random_id;

/// What a robot can do. A skill whose part is missing is not offered.
const SKILLS: [Skill; 6] =
    [Skill::Drive, Skill::Turn, Skill::Look, Skill::Lights, Skill::Battery, Skill::Status];
/// Longer than anything that one message causes: it ends with the turn.
const LEASE_TTL_MS: u64 = 30_000;
/// How often is asked whether a motion has ended.
const LOOK_EVERY: Duration = Duration::from_millis(150);
/// How far "left" and "right" are, rad.
const ASIDE_RAD: f64 = std::f64::consts::FRAC_PI_4;
/// How far "up" and "down" are, rad.
const UP_RAD: f64 = 0.4;

/// The body that a chat in the cloud has: that of the robot that a message means, or none.
#[derive(Clone, Debug)]
pub struct TownBody {
    robots: Robots,
    robot: Option<RobotId>,
}

impl TownBody {
    /// Over the robots of every town.
    pub fn new(robots: Robots) -> Self {
        Self { robots, robot: None }
    }
}

/// What one message makes a robot do. Dropped, it ends the turn, and what it holds and moves with it.
#[derive(Debug)]
pub struct Errand {
    robots: Robots,
    robot: RobotId,
    model: By,
    base: Option<String>,
    head: Option<String>,
}

impl Drop for Errand {
    fn drop(&mut self) {
        // Where it does not arrive, what moves ends with the broker, or at its deadline.
        self.robots
            .link
            .send(&self.robot, Kind::TurnEnd, random_id().ok().as_deref(), Some(&self.model), Map::new())
            .ok();
    }
}

impl Body for TownBody {
    type Errand = Option<Errand>;

    fn meant(&self, by: &Principal, robot: Option<&str>) -> Answer<Self> {
        let robot = robot.map(|robot| self.robots.find(by, robot)).transpose()?;
        Ok(Self { robot, ..self.clone() })
    }

    fn skills(&self) -> Vec<Skill> {
        if self.robot.is_some() { SKILLS.to_vec() } else { Vec::new() }
    }

    fn bounds(&self) -> Bounds {
        Bounds::default()
    }

    async fn out_of_the_ordinary(&self) -> Option<String> {
        let robot = self.robot.as_ref()?;
        let Some(state) = self.state(robot).await else {
            return Some("I am not connected, so I cannot move.".to_owned());
        };
        let percent = state["battery"]["percent"].as_u64();
        said::condition(said::Condition {
            is_heard: state["mcu"]["link"] == "up",
            is_latched: state["estop"]["latched"] == true,
            is_base_closed: !state["base"]["closed"].is_null(),
            is_head_closed: !state["head"]["closed"].is_null(),
            battery_percent: percent.and_then(|percent| u8::try_from(percent).ok()),
        })
    }

    /// Nobody knows where the person is.
    fn clock(&self) -> Option<Zoned> {
        None
    }

    async fn stop(&self, principal: &Principal) -> Done {
        let Some(robot) = &self.robot else { return Done::Well("There is nothing to stop.".to_owned()) };
        match self.robots.link.ask(robot, Kind::Stop, Some(&by(principal)), Map::new()).await {
            Ok(result) => {
                let says = |name: &str| result.body.as_ref().is_some_and(|body| body[name] == true);
                said::stopped(says("stopped"), says("confirmed_by_mcu"))
            }
            Err(_away) => away(),
        }
    }

    async fn errand(&self, principal: &Principal) -> Option<Errand> {
        let robot = self.robot.clone()?;
        if !principal.has(Scope::Drive) || !principal.class.is_human() {
            return None;
        }
        let person = by(principal);
        let turn = random_id().ok()?;
        let model = By { class: "ai".to_owned(), turn: Some(turn.clone()), ..person.clone() };
        let seen = seen(&self.robots, &robot).await?;
        let body = fields(json!({ "turn": turn, "seen": seen }));
        // A turn that did not begin is refused whatever it asks for, with the reason.
        if let Err(error) = self.robots.link.ask(&robot, Kind::TurnBegin, Some(&person), body).await {
            tracing::debug!("a robot did not hear of a chat message: {error}");
        }
        Some(Errand { robots: self.robots.clone(), robot, model, base: None, head: None })
    }

    async fn carry_out(&self, errand: &mut Option<Errand>, call: &Call) -> Done {
        let Some(robot) = &self.robot else {
            return Done::Unable { problem: "not-built", detail: "I have no body here.".to_owned() };
        };
        match call {
            Call::Battery => return self.battery(robot).await,
            Call::Status => return self.status(robot).await,
            _ => {}
        }
        let Some(errand) = errand else {
            if self.robots.link.status(robot).is_none_or(|status| !status.online) {
                return away();
            }
            let detail =
                "You may not move me: that needs the scope drive, and a token of class local or remote.";
            return Done::Unable { problem: "no-right", detail: detail.to_owned() };
        };
        let done = match call {
            Call::Drive { distance_m } => errand.travel(json!({ "distance_m": distance_m }), call).await,
            Call::Turn { angle_deg } => {
                errand.travel(json!({ "angle_rad": angle_deg.to_radians() }), call).await
            }
            Call::Look { direction, pan_deg, tilt_deg } => errand.look(*direction, *pan_deg, *tilt_deg).await,
            Call::Lights { on, color } => errand.light(*on, color.as_deref()).await,
            _ => Err(Done::Unable { problem: "not-built", detail: "I cannot do that.".to_owned() }),
        };
        done.unwrap_or_else(|unable| unable)
    }

    /// The mood itself reaches the robot, whose lights show it.
    async fn show(&self, _errand: &mut Option<Errand>, _mood: Mood) {}
}

impl TownBody {
    async fn state(&self, robot: &RobotId) -> Option<Value> {
        serde_json::from_slice(&newest(&self.robots, robot).await?).ok()
    }

    async fn battery(&self, robot: &RobotId) -> Done {
        let Some(state) = self.state(robot).await else { return away() };
        match charge(&state) {
            Some(charge) => Done::Well(charge),
            None => Done::Unable {
                problem: "link-down",
                detail: "I cannot read my battery: my microcontroller does not answer.".to_owned(),
            },
        }
    }

    async fn status(&self, robot: &RobotId) -> Done {
        let Some(state) = self.state(robot).await else { return away() };
        let mut sentences = Vec::new();
        if state["mcu"]["link"] != "up" {
            sentences.push("My microcontroller does not answer.".to_owned());
        }
        if state["estop"]["latched"] == true {
            sentences.push("My e-stop is latched.".to_owned());
        }
        for (name, limb) in [("wheels are", "base"), ("head is", "head")] {
            let closed = &state[limb]["closed"];
            if let (Some(by), Some(reason)) = (closed["by"].as_str(), closed["reason"].as_str()) {
                sentences.push(format!("My {name} closed by {by}: {reason}."));
            }
        }
        let speed = |name: &str| state["base"]["velocity"][name].as_f64().unwrap_or_default();
        let moves = speed("linear_mps").abs() > 0.01 || speed("angular_radps").abs() > 0.02;
        sentences.push(if moves { "I am moving." } else { "I stand still." }.to_owned());
        sentences.extend(charge(&state));
        Done::Well(sentences.join(" "))
    }
}

impl Errand {
    /// Asks the robot; a refusal is said.
    async fn ask(&self, kind: Kind, mut body: Value) -> Result<Value, Done> {
        if matches!(kind, Kind::Move | Kind::Head | Kind::LeaseTake) {
            body["seen"] = seen(&self.robots, &self.robot).await.ok_or_else(away)?;
        }
        let asked = self.robots.link.ask(&self.robot, kind, Some(&self.model), fields(body)).await;
        let result = asked.map_err(|_away| away())?;
        if result.status < 400 { Ok(result.body.unwrap_or_default()) } else { Err(unable(&result)) }
    }

    /// The lease of a resource, taken once.
    async fn hold(&mut self, resource: &str) -> Result<String, Done> {
        let held = if resource == "base" { &self.base } else { &self.head };
        if let Some(lease) = held {
            return Ok(lease.clone());
        }
        let taken =
            self.ask(Kind::LeaseTake, json!({ "resource": resource, "ttl_ms": LEASE_TTL_MS })).await?;
        let lease = taken["id"].as_str().unwrap_or_default().to_owned();
        let slot = if resource == "base" { &mut self.base } else { &mut self.head };
        *slot = Some(lease.clone());
        Ok(lease)
    }

    /// Drives or turns, and waits for the end of it. Whoever stops waiting drops the errand, which ends the turn.
    async fn travel(&mut self, mut body: Value, call: &Call) -> Result<Done, Done> {
        body["lease"] = self.hold("base").await?.into();
        let moving = self.ask(Kind::Move, body).await?;
        let what = format!("tasks/{}", moving["task"].as_str().unwrap_or_default());
        loop {
            sleep(LOOK_EVERY).await;
            let task = self.ask(Kind::Read, json!({ "what": what })).await?;
            match (task["state"].as_str(), task["reason"].as_str()) {
                (Some("running"), _) => {}
                (Some("done"), _) => return Ok(Done::Well(said::moved(call))),
                (_, reason) => {
                    let reason = reason.unwrap_or("replaced");
                    return Err(Done::Unable { problem: "ended", detail: said::ended(reason) });
                }
            }
        }
    }

    async fn look(
        &mut self,
        direction: Option<Direction>,
        pan_deg: Option<f64>,
        tilt_deg: Option<f64>,
    ) -> Result<Done, Done> {
        let newest = newest(&self.robots, &self.robot).await.ok_or_else(away)?;
        let state: Value = serde_json::from_slice(&newest).unwrap_or_default();
        let now = |name: &str| state["head"][name].as_f64().unwrap_or_default();
        let (pan, tilt) = match direction {
            Some(Direction::Left) => (ASIDE_RAD, now("tilt_rad")),
            Some(Direction::Right) => (-ASIDE_RAD, now("tilt_rad")),
            Some(Direction::Up) => (now("pan_rad"), UP_RAD),
            Some(Direction::Down) => (now("pan_rad"), -UP_RAD),
            Some(Direction::Center) => (0.0, 0.0),
            None => (now("pan_rad"), now("tilt_rad")),
        };
        let pan = pan_deg.map_or(pan, f64::to_radians);
        let tilt = tilt_deg.map_or(tilt, f64::to_radians);
        let lease = self.hold("head").await?;
        self.ask(Kind::Head, json!({ "pan_rad": pan, "tilt_rad": tilt, "lease": lease })).await?;
        Ok(Done::Well(said::looking(direction)))
    }

    async fn light(&self, on: Option<bool>, color: Option<&str>) -> Result<Done, Done> {
        let mut body = Map::new();
        if let Some(name) = color {
            let Some([red, green, blue]) = rgb(name) else {
                let detail = format!("I don't know the colour \"{name}\".");
                return Err(Done::Unable { problem: "out-of-range", detail });
            };
            body.insert("color".to_owned(), format!("#{red:02x}{green:02x}{blue:02x}").into());
        }
        // A colour that nobody sees is not what was meant.
        if let Some(on) = on.or(color.map(|_| true)) {
            body.insert("on".to_owned(), on.into());
        }
        self.ask(Kind::Lights, Value::Object(body)).await?;
        Ok(Done::Well(said::lit(on, color)))
    }
}

/// The robot's newest stamp: here the cloud itself is who asks.
async fn seen(robots: &Robots, robot: &RobotId) -> Option<Value> {
    let state: Value = serde_json::from_slice(&newest(robots, robot).await?).ok()?;
    state.get("seen").cloned()
}

fn fields(body: Value) -> Map<String, Value> {
    match body {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn charge(state: &Value) -> Option<String> {
    let battery = &state["battery"];
    let percent = u8::try_from(battery["percent"].as_u64()?).ok()?;
    Some(said::charge(percent, battery["voltage_v"].as_f64()?))
}

fn away() -> Done {
    Done::Unable {
        problem: "robot-away",
        detail: "I cannot be reached right now: my network is gone.".to_owned(),
    }
}

/// Why something was not done, as the robot says it.
fn unable(result: &CommandResult) -> Done {
    let word = result.r#type.as_deref().unwrap_or_default().trim_start_matches("/problems/");
    let problem = catalogue::find(word).map_or("refused", |kind| kind.slug);
    let fact = |name: &str| result.body.as_ref().and_then(|body| body.get(name)).and_then(Value::as_str);
    let detail = match word {
        "closed" => {
            let by = fact("by").unwrap_or("somebody");
            format!("I am stopped ({by}), and a chat cannot open me. {}", said::OPEN)
        }
        "lease-held" => {
            let (holder, class) = (fact("holder").unwrap_or("Somebody"), fact("class").unwrap_or("nearer"));
            format!("\"{holder}\" ({class}) has control of me now.")
        }
        "nobody-present" => {
            "I move only while somebody is with me, and nobody has written for a while.".to_owned()
        }
        _ => result.detail.clone().unwrap_or_else(|| "I was not able to do that.".to_owned()),
    };
    Done::Unable { problem, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_said_with_what_helps() {
        let check = |word: &str, body: Value, problem: &str, says: &str| {
            let result = CommandResult {
                id: "1".to_owned(),
                status: 409,
                r#type: Some(format!("/problems/{word}")),
                detail: Some("As the robot says it.".to_owned()),
                body: Some(body),
            };
            let Done::Unable { problem: found, detail } = unable(&result) else { panic!("{word}") };
            assert_eq!(found, problem);
            assert!(detail.contains(says), "{detail}");
        };
        check("closed", json!({"by": "stop"}), "closed", "I am stopped (stop)");
        check("lease-held", json!({"holder": "ann", "class": "remote"}), "lease-held", "\"ann\" (remote)");
        check("out-of-range", json!({}), "out-of-range", "As the robot says it.");
        check("from-a-newer-robot", json!({}), "refused", "As the robot says it.");
    }
}
