//! How fast the sentence embedder is beside candle's stock BERT in the same run, and what memory it takes and gives back.
//!
//! One JSON line a figure. The embedder has its own half of the cores (one of two); the stock model gets one thread for its
//! products, but what it does between them runs on candle's own threads, one a core, so it has more. It gets its sentences
//! sorted, in batches padded to the longest, as its own example does.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use models_local::{Embedder, EmbedderConfig, Urgency, catalog};
use tokenizers::{PaddingParams, PaddingStrategy, Tokenizer};

#[path = "../tests/it/support.rs"]
mod support;

const SENTENCE: &str =
    "Robbie, please remember that the spare key to the garden shed lies under the blue pot";
const ROUNDS: usize = 200;
/// Sentences of a batch, and of one call of the stock model.
const BATCH: usize = 512;
const STOCK_BATCH: usize = 32;
const UNLOAD_AFTER: Duration = Duration::from_millis(500);

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let Some(weights) = support::weights("the figures of the embedder") else { return ExitCode::SUCCESS };
    let folder = weights.folder(catalog::find("minilm").expect("it was just fetched"));
    let config = EmbedderConfig { weights, unload_after: UNLOAD_AFTER };
    match measure(config, &folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(config: EmbedderConfig, folder: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (own_ms, own_per_s) = runtime.block_on(own(config))?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let (stock_ms, stock_per_s) = pool.install(|| stock(folder))?;
    line("embed_sentence_ms_p50", own_ms, "ms", stock_ms, "16 words; baseline: candle's stock BERT");
    let note = "5 to 30 words; baseline: candle's stock BERT";
    line("embed_batch_sentences_s", own_per_s, "sentences/s", stock_per_s, note);
    Ok(())
}

async fn own(config: EmbedderConfig) -> Result<(f64, f64)> {
    let embedder = Embedder::start(config)?;
    let before_mb = rss_mb()?;
    let start = Instant::now();
    embedder.embed(vec![SENTENCE.to_owned()], Urgency::Now).await?;
    line("embed_load_ms", ms(start), "ms", 0.0, "the first sentence: files read, checked, loaded");
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        embedder.embed(vec![SENTENCE.to_owned()], Urgency::Now).await?;
        times.push(ms(start));
    }
    let start = Instant::now();
    embedder.embed(sentences(), Urgency::Background).await?;
    let per_s = BATCH as f64 / start.elapsed().as_secs_f64();
    line("embedder_loaded_rss_mb", rss_mb()?, "MB", before_mb, "baseline: before the first sentence");
    tokio::time::sleep(UNLOAD_AFTER * 2).await;
    line("embedder_unloaded_rss_mb", rss_mb()?, "MB", before_mb, "baseline: before the first sentence");
    Ok((median(times), per_s))
}

fn stock(folder: &Path) -> Result<(f64, f64)> {
    let config: Config = serde_json::from_value(serde_json::json!({
        "vocab_size": 30522, "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12,
        "intermediate_size": 1536, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
        "max_position_embeddings": 512, "type_vocab_size": 2, "initializer_range": 0.02,
        "layer_norm_eps": 1e-12, "pad_token_id": 0, "classifier_dropout": null, "model_type": "bert"
    }))?;
    let weights = std::fs::read(folder.join("model.safetensors"))?;
    let variables = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)?;
    let model = BertModel::load(variables, &config)?;
    let mut tokenizer = Tokenizer::from_file(folder.join("tokenizer.json"))?;
    let padding = PaddingParams { strategy: PaddingStrategy::BatchLongest, ..PaddingParams::default() };
    tokenizer.with_padding(Some(padding)).with_truncation(None)?;

    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        stock_embed(&model, &tokenizer, &[SENTENCE.to_owned()])?;
        times.push(ms(start));
    }
    let mut sentences = sentences();
    let start = Instant::now();
    sentences.sort_by_key(String::len);
    for batch in sentences.chunks(STOCK_BATCH) {
        stock_embed(&model, &tokenizer, batch)?;
    }
    Ok((median(times), BATCH as f64 / start.elapsed().as_secs_f64()))
}

fn stock_embed(model: &BertModel, tokenizer: &Tokenizer, batch: &[String]) -> Result<Vec<Vec<f32>>> {
    let encoded = tokenizer.encode_batch_fast(batch.to_vec(), true)?;
    let rows = |of: fn(&tokenizers::Encoding) -> &[u32]| -> Result<Tensor> {
        let rows: Vec<Tensor> = encoded
            .iter()
            .map(|row| Tensor::new(of(row), &Device::Cpu))
            .collect::<candle_core::Result<_>>()?;
        Ok(Tensor::stack(&rows, 0)?)
    };
    let (ids, mask) = (rows(tokenizers::Encoding::get_ids)?, rows(tokenizers::Encoding::get_attention_mask)?);
    let hidden = model.forward(&ids, &ids.zeros_like()?, Some(&mask))?;
    let mask = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
    let mean = hidden.broadcast_mul(&mask)?.sum(1)?.broadcast_div(&mask.sum(1)?)?;
    let length = mean.sqr()?.sum_keepdim(1)?.sqrt()?;
    Ok(mean.broadcast_div(&length)?.to_vec2()?)
}

/// Sentences of 5 to 30 words, all different.
fn sentences() -> Vec<String> {
    const WORDS: [&str; 16] = [
        "robot",
        "kitchen",
        "yesterday",
        "forgot",
        "the",
        "a",
        "dentist",
        "appointment",
        "blue",
        "key",
        "under",
        "garden",
        "Anna",
        "said",
        "Tuesday",
        "battery",
    ];
    (0..BATCH)
        .map(|n| {
            let words = (0..5 + n % 26).map(|at| WORDS[(n * 7 + at * (n % 5 + 3)) % WORDS.len()]);
            words.collect::<Vec<_>>().join(" ")
        })
        .collect()
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn rss_mb() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kb: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kb / 1024.0)
}

fn line(figure: &str, value: f64, unit: &str, baseline: f64, note: &str) {
    println!(
        r#"{{"figure":"{figure}","value":{value:.2},"unit":"{unit}","baseline":{baseline:.2},"note":"{note}"}}"#
    );
}
