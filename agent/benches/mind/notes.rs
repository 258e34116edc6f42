//! What an agent is given to remember: where 10,000 things are, each of them somebody's and somewhere.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::json;

use crate::process::cpu_s;
use crate::programs::Agent;

/// How many notes there are.
pub(crate) const NOTES: usize = OWNERS.len() * COLOURS.len() * THINGS.len();

/// Connections that write them.
const WRITERS: usize = 8;
/// Their vectors are made by then.
const DEADLINE: Duration = Duration::from_secs(180);
/// An agent that uses less of a core than this has nothing left to do.
const REST: f64 = 0.05;

const OWNERS: [&str; 20] = [
    "Anna", "Bruno", "Carla", "David", "Elena", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Klara", "Lukas",
    "Maria", "Nils", "Olga", "Paul", "Rosa", "Simon", "Tina", "Viktor",
];
const COLOURS: [&str; 20] = [
    "red", "blue", "green", "yellow", "black", "white", "brown", "grey", "purple", "orange", "pink",
    "golden", "silver", "beige", "wooden", "leather", "plastic", "woollen", "striped", "spotted",
];
const THINGS: [&str; 25] = [
    "umbrella", "suitcase", "hammer", "lamp", "kettle", "blanket", "notebook", "guitar", "helmet", "scarf",
    "teapot", "basket", "mirror", "cushion", "camera", "puzzle", "raincoat", "bucket", "ladder", "clock",
    "pillow", "violin", "toolbox", "saddle", "tent",
];
const PLACES: [&str; 16] = [
    "in the cellar behind the door",
    "on the top shelf of the garage",
    "under the bed in the guest room",
    "in the cupboard beside the oven",
    "in the garden shed",
    "on the balcony next to the plants",
    "at the office",
    "in the boot of the car",
    "in the attic near the window",
    "behind the sofa",
    "in the hall closet",
    "on the desk in the study",
    "at the cleaner's in the station",
    "in the box beneath the stairs",
    "with the neighbours",
    "in the laundry room",
];

/// Somebody's thing, such as "Anna's red umbrella"; each number below [`NOTES`] another one.
pub(crate) fn thing(number: usize) -> String {
    let owner = OWNERS[number % OWNERS.len()];
    let colour = COLOURS[number / OWNERS.len() % COLOURS.len()];
    let what = THINGS[number / OWNERS.len() / COLOURS.len() % THINGS.len()];
    format!("{owner}'s {colour} {what}")
}

/// Where it is.
pub(crate) fn place(number: usize) -> &'static str {
    PLACES[(number * 7 + number / OWNERS.len()) % PLACES.len()]
}

/// Writes all of them, and waits until the agent has done what follows from it.
pub(crate) fn write_all(agent: &Agent) -> anyhow::Result<()> {
    eprintln!("writing {NOTES} notes ...");
    let write = |writer: usize| -> anyhow::Result<()> {
        let mut client = agent.client()?;
        for number in (writer..NOTES).step_by(WRITERS) {
            let note = json!({ "content": format!("{} is {}", thing(number), place(number)) });
            client.ask("POST", "/api/sticky-notes/", &note.to_string())?.expect(201)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
        writers.into_iter().try_for_each(|writer| writer.join().ok().context("a writer panicked")?)
    })?;
    rest(agent)
}

fn rest(agent: &Agent) -> anyhow::Result<()> {
    let end = Instant::now() + DEADLINE;
    loop {
        let (before_s, began) = (cpu_s(agent.process.id())?, Instant::now());
        std::thread::sleep(Duration::from_secs(2));
        let used = (cpu_s(agent.process.id())? - before_s) / began.elapsed().as_secs_f64();
        if used < REST {
            return Ok(());
        }
        ensure!(Instant::now() < end, "the agent never came to rest after the notes");
    }
}
