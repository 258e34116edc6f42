//! How well the ranking does on a conversation that none of its weights was chosen on: they are chosen again on all the others,
//! from the values that were tried, and the one that was left out is asked. It changes no weight of the running robot.

use std::path::Path;

use agent_store::Candidate;
use models_local::LEXICAL;
use models_mind::recall::{Constant, Evidence, Question, Weights, question, rank};

use super::super::locomo;
use super::{HITS, Room, Row, search};

/// Times that every weight is chosen anew at most: by then nothing changes any more.
const SWEEPS_MAX: usize = 6;

/// A conversation, asked with weights that were chosen without it.
#[derive(Clone, Debug)]
pub struct LeftOut {
    /// Its figures with the chosen weights.
    pub row: Row,
    /// The same with the robot's own.
    pub own: Row,
    /// What was chosen on the others.
    pub chosen: Vec<(Constant, f32)>,
}

/// A question with everything that might answer it, ready to be ranked under any weights.
struct Gathered {
    asked: Question,
    candidates: Vec<Candidate>,
    raw: locomo::Question,
}

/// One conversation's questions.
struct Talk {
    name: String,
    room: Room,
    questions: Vec<Gathered>,
}

/// Leaves out each conversation in `folder` in turn. With the weights in `models`; fewer than two conversations have no answer.
///
/// # Errors
/// A file cannot be read, or the memory does not work.
pub async fn leave_one_out(
    folder: &Path,
    models: &Path,
    mut begins: impl FnMut(&str),
) -> anyhow::Result<Vec<LeftOut>> {
    let mut talks = Vec::new();
    for conversation in locomo::load(folder)? {
        begins(&conversation.name);
        let room = Room::with(&conversation, models).await?;
        let mut questions = Vec::new();
        for raw in conversation.questions {
            questions.push(gather(&room, raw).await?);
        }
        talks.push(Talk { name: conversation.name, room, questions });
    }
    let mut results = Vec::new();
    for (place, talk) in talks.iter().enumerate().filter(|_| talks.len() > 1) {
        let others: Vec<&Talk> =
            talks.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, talk)| talk).collect();
        let own = talk.own_weights();
        let chosen = choose(&others, own);
        results.push(LeftOut { row: talk.figures(with(own, &chosen)), own: talk.figures(own), chosen });
    }
    for talk in talks {
        talk.room.memory.end().await;
    }
    Ok(results)
}

async fn gather(room: &Room, raw: locomo::Question) -> anyhow::Result<Gathered> {
    let (recall, search) = (&room.memory.recall, search(&raw));
    let speakers = room.memory.store.speakers(&room.whose).await?;
    let mut asked = question(&search.query, &search.context, &speakers, room.now, &recall.zone);
    let (model, candidates) = recall.candidates(&room.whose, &asked, &search.kinds).await?;
    if model == LEXICAL {
        asked.weights = Weights::LEXICAL;
    }
    Ok(Gathered { asked, candidates, raw })
}

/// One weight after the other takes the value under which most is found, until none changes. Begins with the smallest values,
/// not with the robot's own: those know the conversation that is left out.
fn choose(talks: &[&Talk], own: Weights) -> Vec<(Constant, f32)> {
    let smallest = |constant: Constant| (constant, constant.tried().first().copied().unwrap_or_default());
    let mut chosen: Vec<(Constant, f32)> = Constant::ALL.into_iter().map(smallest).collect();
    let mut most = found(talks, with(own, &chosen));
    for _ in 0..SWEEPS_MAX {
        let before = chosen.clone();
        for place in 0..chosen.len() {
            let (constant, now) = chosen[place];
            for value in constant.tried().iter().filter(|value| **value != now) {
                let tried = constant.set(with(own, &chosen), *value);
                let found = found(talks, tried);
                if found > most {
                    most = found;
                    chosen[place].1 = *value;
                }
            }
        }
        if chosen == before {
            break;
        }
    }
    chosen
}

fn with(own: Weights, chosen: &[(Constant, f32)]) -> Weights {
    chosen.iter().fold(own, |weights, (constant, value)| constant.set(weights, *value))
}

/// What these weights find in all of them: the sum of both shares, over all questions.
fn found(talks: &[&Talk], weights: Weights) -> f64 {
    let sum = |row: Row| (row.recall_at_5 + row.recall_at_10) * row.questions as f64;
    talks.iter().map(|talk| sum(talk.figures(weights))).sum()
}

impl Talk {
    fn own_weights(&self) -> Weights {
        self.questions.first().map_or(Weights::SENTENCES, |first| first.asked.weights)
    }

    fn figures(&self, weights: Weights) -> Row {
        let mut row = Row::named(&self.name);
        for gathered in &self.questions {
            let mut asked = gathered.asked.clone();
            asked.weights = weights;
            let evidence: Vec<Evidence<'_>> = gathered.candidates.iter().map(Candidate::evidence).collect();
            let ranked = rank(&asked, &evidence, HITS as usize);
            let ids = ranked.iter().map(|ranked| gathered.candidates[ranked.index].id);
            let [at_5, at_10] = self.room.recalls(&gathered.raw, ids);
            row.add(at_5, at_10);
        }
        row
    }
}
