//! Whether the body stops and obeys in time while 16 people are answered through its robot, word by word, by a language model
//! behind the cloud.

use serde_json::json;

use crate::how_many;
use crate::programs::Body;
use crate::report::Report;
use crate::stops;
use crate::system::cloud::Cloud;
use crate::system::minds::Minds;
use crate::system::place::Place;
use crate::system::postgres::Postgres;
use crate::system::wait_until;
use crate::talkers::Talkers;
use crate::world::SCRIPT;

/// Clients that fall silent, and commands that are timed.
const TRIALS: usize = 300;
const COMMANDS: usize = 1000;
/// People who are answered meanwhile.
const TALKERS: usize = 16;
/// How often the script is said in one answer, and the time between two words.
const SCRIPTS: usize = 8;
const BETWEEN_MS: u64 = 20;

/// Measures both.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let (trials, commands) = (how_many("TRIALS", TRIALS)?, how_many("COMMANDS", COMMANDS)?);
    let place = Place::new()?;
    let postgres = Postgres::start(&place)?;
    let minds = Minds::start(&place)?;
    let text = [SCRIPT; SCRIPTS].join(" ");
    minds.tell("openai", &json!({ "script": [{ "text": text }], "between_ms": BETWEEN_MS }))?;
    let mut environment = minds.environment(&["openai"])?;
    environment.push(("ROBBIE_CLOUD_OPENAI__BUDGET_USD_PER_DAY".to_owned(), "0".to_owned()));
    let cloud = Cloud::start_in(&place, "cloud", &postgres.database("stop")?, None, environment)?;
    let body = Body::start(&place)?;
    let robot = body.robot(&place)?;
    robot.pair(&cloud.code(Some("driven"))?, &cloud.url())?;
    wait_until("the robot in step", || Ok(!robot.get("/api/sync/status")?["last_converged_at"].is_null()))?;

    let talkers = Talkers::begin(&robot, TALKERS)?;
    wait_until("all answers under way", || Ok(minds.seen("openai")?["under_way"] == TALKERS))?;
    let stops = stops::measure(&body, &robot, 19, trials, commands)?;
    let heard = talkers.end()?;
    let words = text.split(' ').count();
    let meanwhile = format!(
        "while {TALKERS} people were answered through robot and cloud by a model, {words} words an answer, {BETWEEN_MS} ms between \
         two, {} answers in {} pieces",
        heard.answers, heard.pieces
    );
    stops.report(report, &meanwhile);
    Ok(())
}
