//! `drive`: the arrow keys of a terminal drive the robot.
//!
//! This file only carries: keys to [`hold`], its wish to [`sender`], frames to [`socket`], everything to [`screen`].

mod hold;
mod keys;
mod screen;
mod sender;
mod socket;
mod terminal;

use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyEventKind};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use self::hold::Keys;
use self::keys::Action;
use self::screen::View;
use self::sender::{PERIOD_MS, Sender, Speed, Turn};
use self::socket::{FromAgent, ToAgent};
use self::terminal::Terminal;
use super::args::ReachArgs;
use super::client::Client;
use super::find;
use super::state::{STATE, Seen, State};
use super::stop_commands::{EStop, Stopped};
use crate::config::Environment;
use cloud_sync_api::failure::Failure;

/// Frames and events that may wait between the tasks here.
const QUEUE: usize = 32;
/// Commands under way at once; more are pointless repeats of a held key.
const JOBS_MAX: usize = 16;
/// For the last zero to leave.
const GOODBYE_MAX: Duration = Duration::from_millis(300);

/// What the loop does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Continue,
    Quit,
}

/// One run of `drive`.
struct Driver {
    client: Client,
    keys: Keys,
    sender: Sender,
    seen: Option<(Seen, Instant)>,
    view: View,
    to_agent: mpsc::Sender<ToAgent>,
    jobs: JoinSet<String>,
    /// The epoch that a person was asked about.
    asked_epoch: Option<u32>,
    is_replaced: bool,
    started: Instant,
}

/// Drives until q.
pub(super) async fn drive(reach: &ReachArgs, environment: &Environment) -> Result<(), Failure> {
    let client = Client::new(find::target(reach, environment)?)?;
    // Before the screen is taken: whatever is wrong with address or token is said in plain lines.
    let state: State = client.get(STATE).await?;
    let mut terminal = Terminal::open()?;
    let unusable = |error: std::io::Error| Failure::Usage(format!("cannot use this terminal: {error}"));
    let mut typed = Terminal::events().map_err(unusable)?;
    let (to_agent, outgoing) = mpsc::channel(QUEUE);
    let (events, mut from_agent) = mpsc::channel(QUEUE);
    let mut link = JoinSet::new();
    link.spawn(socket::run(client.clone(), outgoing, events));
    let mut driver = Driver::new(client, terminal.reports(), to_agent, state);
    let mut ticks = interval(Duration::from_millis(PERIOD_MS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut terminate, mut hang_up) =
        (signal(SignalKind::terminate()).map_err(unusable)?, signal(SignalKind::hangup()).map_err(unusable)?);
    let mut over = None;
    loop {
        let next = tokio::select! {
            event = typed.recv() => match event {
                Some(Event::Resize(..)) => { terminal.forget().map_err(unusable)?; Next::Continue }
                Some(event) => driver.typed(&event),
                None => Next::Quit,
            },
            Some(event) = from_agent.recv() => match event {
                FromAgent::Over(why) => { over = Some(why); Next::Quit }
                event => driver.heard(event),
            },
            Some(done) = driver.jobs.join_next() => driver.done(done.unwrap_or_default()),
            _ = ticks.tick() => driver.tick(),
            _ = terminate.recv() => Next::Quit,
            _ = hang_up.recv() => Next::Quit,
        };
        if next == Next::Quit {
            break;
        }
        terminal.draw(screen::lines(driver.look(), terminal::columns())).map_err(unusable)?;
    }
    driver.let_go();
    drop(driver);
    // The socket sends what waits and closes; a robot that does not listen ends the motion by itself.
    drop(tokio::time::timeout(GOODBYE_MAX, link.join_next()).await);
    drop(terminal);
    over.map_or(Ok(()), |why| Err(Failure::Refused(why)))
}

impl Driver {
    fn new(client: Client, reports: hold::Reports, to_agent: mpsc::Sender<ToAgent>, state: State) -> Self {
        let view = View {
            url: client.url().to_owned(),
            percent: 50,
            state: Some(Box::new(state)),
            ..View::default()
        };
        Self {
            client,
            keys: Keys::new(reports),
            sender: Sender::default(),
            seen: None,
            view,
            to_agent,
            jobs: JoinSet::new(),
            asked_epoch: None,
            is_replaced: false,
            started: Instant::now(),
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn typed(&mut self, event: &Event) -> Next {
        let now_ms = self.now_ms();
        let event = match event {
            Event::Key(event) => event,
            Event::FocusLost => {
                self.let_go();
                return Next::Continue;
            }
            _ => return Next::Continue,
        };
        self.keys.terminal_lives(now_ms);
        let action = keys::action(event);
        if event.kind == KeyEventKind::Press && !matches!(action, Action::Yes | Action::Nothing) {
            self.asked_epoch = None;
            self.view.question = None;
        }
        match action {
            Action::Drive(arrow, touch) => {
                if self.is_replaced && touch == hold::Touch::Press {
                    self.is_replaced = false;
                    self.tell(ToAgent::Reopen);
                }
                let before = self.keys.wish(now_ms);
                self.keys.touch(arrow, touch, now_ms);
                // A new wish goes out at once, and repeats of the same wait for their turn.
                if self.keys.wish(now_ms) != before {
                    self.turn();
                }
            }
            Action::Stop => self.stop(),
            Action::EStop => self.estop(),
            Action::Take => self.take(),
            Action::AskReset => self.ask_reset(),
            Action::Yes => self.reset(),
            Action::Faster => self.view.percent = (self.view.percent + 10).min(100),
            Action::Slower => self.view.percent = self.view.percent.saturating_sub(10).max(10),
            Action::Help => self.view.shows_help = !self.view.shows_help,
            Action::Quit => return Next::Quit,
            Action::Other | Action::Nothing => {}
        }
        Next::Continue
    }

    fn heard(&mut self, event: FromAgent) -> Next {
        match event {
            FromAgent::Opened => {
                self.sender.opened();
                self.keys.block(self.now_ms());
                self.view.away = None;
            }
            FromAgent::State(state) => {
                if let Some(seen) = state.seen.clone() {
                    self.seen = Some((seen, Instant::now()));
                }
                self.view.state = Some(state);
            }
            FromAgent::Seen(seen) => self.seen = Some((seen, Instant::now())),
            FromAgent::Refused(refusal) => {
                self.keys.block(self.now_ms());
                self.view.message = format!("refused ({}): {}", refusal.status, refusal.detail);
            }
            FromAgent::Away(why) | FromAgent::Over(why) => self.view.away = Some(why),
            FromAgent::Replaced => {
                self.is_replaced = true;
                self.keys.block(self.now_ms());
                self.view.away = Some(
                    "another place with this token drives now; press an arrow to take it back".to_owned(),
                );
            }
        }
        Next::Continue
    }

    fn done(&mut self, said: String) -> Next {
        if !said.is_empty() {
            self.view.message = said;
        }
        Next::Continue
    }

    fn tick(&mut self) -> Next {
        self.turn();
        Next::Continue
    }

    /// Sends what is due.
    fn turn(&mut self) {
        let now_ms = self.now_ms();
        let wish = self.keys.wish(now_ms);
        let seen = self.seen.as_ref().map(|(seen, at)| (seen, age_ms(*at)));
        match self.sender.turn(now_ms, wish, self.speed(), seen) {
            Turn::Silent => {}
            Turn::Block => self.keys.block(now_ms),
            Turn::Send(frames) => frames.into_iter().map(ToAgent::Frame).for_each(|frame| self.tell(frame)),
        }
    }

    /// The chosen share of what the robot allows now.
    fn speed(&self) -> Speed {
        let share = f64::from(self.view.percent) / 100.0;
        self.view.state.as_ref().map_or_else(Speed::default, |state| Speed {
            linear_mps: state.envelope.linear_mps * share,
            angular_radps: state.envelope.angular_radps * share,
        })
    }

    fn look(&mut self) -> &View {
        let now_ms = self.now_ms();
        self.view.wish = self.keys.wish(now_ms);
        self.view.is_blocked = self.keys.is_blocked(now_ms);
        self.view.picture_age_ms = self.seen.as_ref().map(|(_, at)| age_ms(*at));
        self.view.speed = self.speed();
        &self.view
    }

    fn let_go(&mut self) {
        self.keys.let_go();
        self.turn();
    }

    /// Both ways at once: one may be slow or closed, and stopping twice harms nobody.
    fn stop(&mut self) {
        self.keys.block(self.now_ms());
        self.tell(ToAgent::Frame(json!({ "stop": true })));
        let client = self.client.clone();
        self.job(async move {
            match client.post_open::<Stopped>("/api/robot/stop", &json!({})).await {
                Ok(stopped) if stopped.confirmed_by_mcu => "stopped; t takes control again".to_owned(),
                Ok(_) => "stop is in force; the body has not confirmed it yet".to_owned(),
                Err(failure) => format!("STOP NOT CONFIRMED: {failure}"),
            }
        });
    }

    fn estop(&mut self) {
        self.keys.block(self.now_ms());
        let reason = "pressed in robbie-agent drive";
        self.tell(ToAgent::Frame(json!({ "estop": true, "reason": reason })));
        let client = self.client.clone();
        self.job(async move {
            let body = json!({ "reason": reason });
            match client.post_open::<EStop>("/api/robot/estop", &body).await {
                Ok(estop) => format!("e-stop {}: {}; r resets it", estop.epoch, estop.stage),
                Err(failure) => format!("E-STOP NOT CONFIRMED: {failure}"),
            }
        });
    }

    fn take(&mut self) {
        let client = self.client.clone();
        let seen = self.seen.as_ref().map(|(seen, _)| seen.clone());
        self.job(async move {
            let body = json!({ "resource": "base", "take_over": true, "seen": seen });
            match client.post::<Value>("/api/robot/leases", &body).await {
                Ok(_) => "you have control: press an arrow".to_owned(),
                Err(failure) => failure.to_string(),
            }
        });
    }

    fn ask_reset(&mut self) {
        let estop = self.view.state.as_ref().map(|state| &state.estop).filter(|estop| estop.latched);
        let Some(estop) = estop else {
            self.view.message = "no e-stop is latched".to_owned();
            return;
        };
        self.asked_epoch = Some(estop.epoch);
        let reason = if estop.reason.is_empty() { "reason unknown" } else { &estop.reason };
        self.view.question = Some(format!("Is it safe? Reset e-stop {} ({reason})?", estop.epoch));
    }

    fn reset(&mut self) {
        let Some(epoch) = self.asked_epoch.take() else { return };
        self.view.question = None;
        let client = self.client.clone();
        self.job(async move {
            match client.post::<EStop>("/api/robot/estop/reset", &json!({ "epoch": epoch })).await {
                Ok(_) => "e-stop is reset; t takes control".to_owned(),
                Err(failure) => failure.to_string(),
            }
        });
    }

    fn job(&mut self, job: impl Future<Output = String> + 'static + Send) {
        if self.jobs.len() < JOBS_MAX {
            self.jobs.spawn(job);
        }
    }

    /// A frame that finds the queue full is dropped: the next one is newer.
    fn tell(&mut self, message: ToAgent) {
        if let Err(TrySendError::Closed(_)) = self.to_agent.try_send(message) {
            self.view.away = Some("the connection ended".to_owned());
        }
    }
}

fn age_ms(at: Instant) -> u64 {
    u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX)
}
