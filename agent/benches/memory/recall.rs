//! Finding among 100,000: by a given vector, beside an exact scan of the same vectors, and by everything together.

use std::collections::HashMap;
use std::time::Instant;

use agent_store::{CandidateQuery, Span, Store, Vector};
use cloud_sync_protocol::store::Whose;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use models_local::MINILM;
use models_mind::recall::{CANDIDATES, Evidence, question, rank};

use crate::report::{Figure, Report};
use crate::{crowd, percentile, sentences};

const REAL: usize = 20_000;
const ROWS: usize = 100_000;
/// Sentences that are asked with, and are not in the memory.
const ASKED: usize = 400;
const BEST: usize = 10;
/// Two sums of the same products in another order differ by less.
const ROUNDING: f32 = 1e-6;

pub(crate) fn measure(report: &mut Report, runtime: &tokio::runtime::Runtime) -> anyhow::Result<()> {
    let all = sentences::collect(REAL + ASKED)?;
    let Some(vectors) = sentences::vectors(&all, runtime)? else {
        report.left_out("recall_*", "no weights");
        return Ok(());
    };
    let (asked, known) = (&all[..ASKED], &all[ASKED..]);
    let (asked_vectors, known_vectors) = vectors.split_at(ASKED);
    let (texts, rows) = crowd::perturbed(known, known_vectors, ROWS);
    let folder = tempfile::tempdir()?;
    runtime.block_on(async {
        eprintln!("writing {ROWS} rows ...");
        let store = crowd::open(folder.path())?;
        crowd::fill(&store, MINILM, &texts, &rows).await?;
        store.end().await;

        let begun = Instant::now();
        let store = crowd::open(folder.path())?;
        // The index is there once the first question is answered.
        by_vector(&store, &asked_vectors[0]).await?;
        let figure = Figure::new("index_build_s", begun.elapsed().as_secs_f64(), "s").at_most(1.0);
        report
            .add(figure.note("from opening the file, its check included, to the first answer; 100,000 rows"));
        vectors_alone(report, &store, asked_vectors, &rows, &texts).await?;
        hybrid(report, &store, asked, asked_vectors).await?;
        store.end().await;
        Ok(())
    })
}

async fn by_vector(store: &Store, vector: &Vector) -> anyhow::Result<Vec<String>> {
    let query = CandidateQuery {
        model: MINILM,
        vector: Some(vector),
        terms: &[],
        kinds: &[],
        span: None,
        speakers: &[],
        n: BEST,
    };
    let found = store.candidates(&Whose::unpaired(), query).await?;
    Ok(found.into_iter().take(BEST).map(|candidate| candidate.text).collect())
}

async fn vectors_alone(
    report: &mut Report,
    store: &Store,
    asked: &[Vector],
    rows: &[Vector],
    texts: &[String],
) -> anyhow::Result<()> {
    let places: HashMap<&String, usize> = texts.iter().zip(0..).collect();
    let (mut times_ms, mut exact_ms, mut hits) = (Vec::new(), Vec::new(), 0);
    for vector in asked {
        let begun = Instant::now();
        let found = by_vector(store, vector).await?;
        times_ms.push(begun.elapsed().as_secs_f64() * 1000.0);
        let begun = Instant::now();
        let tenth = exactly(vector, rows);
        exact_ms.push(begun.elapsed().as_secs_f64() * 1000.0);
        let score = |text: &String| places.get(text).map(|place| dot(vector, &rows[*place]));
        hits += found.iter().filter_map(score).filter(|score| *score >= tenth - ROUNDING).count();
    }
    let note = "a given vector to its rows with text and neighbours, 100,000 x 384; baseline: exact scan of f32 in memory";
    let exact_p50 = percentile(&mut exact_ms, 50);
    let p50 = Figure::new("recall_vectors_100k_ms_p50", percentile(&mut times_ms, 50), "ms");
    report.add(p50.beside(exact_p50).at_most(1.0).note(note));
    report.add(Figure::new("recall_vectors_100k_ms_p95", percentile(&mut times_ms, 95), "ms").at_most(2.0));
    let recall = hits as f64 / (asked.len() * BEST) as f64;
    let note = "at least 0.99; a row counts that is as near as the tenth of the exact scan, or nearer";
    report.add(Figure::new("recall_at_10_vs_exact", recall, "").note(note));
    Ok(())
}

fn dot(one: &Vector, other: &Vector) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// How near the tenth is, by comparing with all.
fn exactly(vector: &Vector, rows: &[Vector]) -> f32 {
    let mut scores: Vec<f32> = rows.iter().map(|row| dot(vector, row)).collect();
    *scores.select_nth_unstable_by(BEST - 1, |one, other| other.total_cmp(one)).1
}

async fn hybrid(
    report: &mut Report,
    store: &Store,
    asked: &[String],
    vectors: &[Vector],
) -> anyhow::Result<()> {
    let whose = Whose::unpaired();
    let mut times_ms = Vec::new();
    for (text, vector) in asked.iter().zip(vectors) {
        let begun = Instant::now();
        let speakers = store.speakers(&whose).await?;
        let read = question(text, "", &speakers, Timestamp::now(), &TimeZone::UTC);
        let query = CandidateQuery {
            model: MINILM,
            vector: Some(vector),
            terms: &read.terms,
            kinds: &[],
            span: read.window.as_ref().map(|time| Span { from_ms: time.from_ms, to_ms: time.to_ms }),
            speakers: &read.speakers,
            n: CANDIDATES,
        };
        let candidates = store.candidates(&whose, query).await?;
        let evidence: Vec<Evidence<'_>> = candidates
            .iter()
            .map(|one| Evidence {
                cosine: one.cosine,
                bm25: one.bm25,
                text: &one.text,
                speaker: one.speaker.as_deref(),
                at_ms: one.at_ms,
                conversation: one.conversation,
                ordinal: one.ordinal,
                kind: one.kind,
            })
            .collect();
        let ranked = rank(&read, &evidence, BEST);
        times_ms.push(begun.elapsed().as_secs_f64() * 1000.0);
        anyhow::ensure!(!ranked.is_empty(), "nothing was found for {text:?}");
    }
    let note = "words, vectors, fusion, explanation; the question's embedding is left out";
    let p95 = Figure::new("recall_hybrid_100k_ms_p95", percentile(&mut times_ms, 95), "ms");
    report.add(p95.at_most(25.0).note(note));
    report.add(Figure::new("recall_hybrid_100k_ms_p50", percentile(&mut times_ms, 50), "ms"));
    Ok(())
}
