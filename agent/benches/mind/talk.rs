//! What a message costs from end to end, over HTTP and a connection that is kept: understood, carried out, kept, answered.

use std::time::Instant;

use anyhow::ensure;
use serde_json::Value;

use crate::http::Client;
use crate::notes::{self, NOTES, place};
use crate::programs::{Agent, Place};
use crate::report::{Figure, Report};
use crate::stats::Samples;
use crate::talkers::{question, say};

/// Messages of each kind that are timed, and as many reads of the personality.
const MESSAGES: usize = 500;
/// Messages before those.
const WARM_UP: usize = 20;
/// Messages of one conversation.
const CONVERSATION: usize = 20;
/// Numbers of questions that follow each other lie so far apart, and meet every note: nothing divides both it and [`NOTES`].
const STRIDE: usize = 1_237;

/// What one kind of message took, ms.
#[derive(Debug, Default)]
struct Took {
    recall: Vec<f64>,
    battery: Vec<f64>,
    read: Vec<f64>,
}

/// Measures it over 10,000 notes.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let place = Place::new()?;
    let agent = Agent::start(&place, None)?;
    notes::write_all(&agent)?;
    let mut client = agent.client()?;
    let (mut took, mut quoted) = (Took::default(), 0);
    let mut conversation = None;
    for number in 0..WARM_UP + MESSAGES {
        if number % CONVERSATION == 0 {
            conversation = None;
        }
        let counts = number >= WARM_UP;
        let asked = number * STRIDE % NOTES;
        let (recall_ms, answer) = timed(&mut client, &question(asked), conversation.as_ref())?;
        conversation = Some(answer["conversation_id"].clone());
        let (battery_ms, told) = timed(&mut client, "what is your battery?", conversation.as_ref())?;
        ensure!(told["tool_calls"][0]["skill"] == "battery", "not understood: {told}");
        let began = Instant::now();
        client.get("/api/personality")?;
        let read_ms = began.elapsed().as_secs_f64() * 1000.0;
        if counts {
            took.recall.push(recall_ms);
            took.battery.push(battery_ms);
            took.read.push(read_ms);
            quoted += usize::from(quotes(&answer, asked));
        }
    }
    took.report(report, quoted);
    Ok(())
}

fn timed(client: &mut Client, message: &str, conversation: Option<&Value>) -> anyhow::Result<(f64, Value)> {
    let began = Instant::now();
    let answer = say(client, message, conversation)?;
    let took_ms = began.elapsed().as_secs_f64() * 1000.0;
    let answer = answer.expect(200)?;
    ensure!(answer["tier"] == "reflex", "answered by another tier: {answer}");
    Ok((took_ms, answer))
}

/// Whether an answer names the place that was asked for.
fn quotes(answer: &Value, asked: usize) -> bool {
    answer["reply"].as_str().is_some_and(|reply| reply.contains(place(asked)))
}

impl Took {
    fn report(self, report: &mut Report, quoted: usize) {
        let (recall, battery, read) =
            (Samples::new(self.recall), Samples::new(self.battery), Samples::new(self.read));
        let note = |what: String| {
            format!(
                "{} messages to POST /api/chat on one kept connection, {what}; no weights; both turns kept on disk; baseline: GET \
                 /api/personality between them",
                recall.count()
            )
        };
        let about_recall = note(format!(
            "\"where is Anna's red umbrella?\" over {NOTES} notes, {quoted} answers quote the right one; max {:.1}",
            recall.max()
        ));
        let about_battery = note(format!("\"what is your battery?\"; max {:.1}", battery.max()));
        for (name, samples, note) in
            [("chat_reflex_ms", &recall, about_recall), ("chat_battery_ms", &battery, about_battery)]
        {
            let p50 = Figure::new(format!("{name}_p50"), samples.median(), "ms");
            report.add(p50.beside(read.median()).note(&note));
            let p99 = Figure::new(format!("{name}_p99"), samples.percentile(99), "ms");
            report.add(p99.beside(read.percentile(99)).note(&note));
        }
    }
}
