//! `robbie-models`: what stands in for the four providers of language models, and what is told it.

use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::http::Client;
use super::place::Place;
use super::process::Process;
use super::programs;

/// The providers, in the order in which a cloud asks them: name, the variable that sets its tier up, its section of settings.
pub(crate) const PROVIDERS: [(&str, &str); 4] = [
    ("ollama", "OLLAMA_URL"),
    ("openai", "OPENAI_API_KEY"),
    ("claude", "ANTHROPIC_API_KEY"),
    ("gemini", "GEMINI_API_KEY"),
];

/// The key that all of them want.
pub(crate) const KEY: &str = "sk-stand-in-5ecret";

/// All four. Dropping it kills them.
#[derive(Debug)]
pub(crate) struct Minds {
    urls: Value,
    process: Process,
}

impl Minds {
    /// Starts them on free ports.
    pub(crate) fn start(place: &Place) -> anyhow::Result<Self> {
        let mut command = Command::new(programs::robbie_models()?);
        command.env_clear().args(["--key", KEY]);
        let mut process = Process::start(&mut command, &place.path("minds.log"))?;
        let urls = process.wait_until_ready("the stand-ins", |process| {
            Ok(process.said().lines().find_map(|line| serde_json::from_str::<Value>(line).ok()))
        })?;
        let minds = Self { urls, process };
        // Nobody has a key for a model of one's own.
        minds.tell("ollama", &json!({ "key": "" }))?;
        Ok(minds)
    }

    /// Its process.
    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// Where a provider answers, as a setting.
    pub(crate) fn url(&self, provider: &str) -> anyhow::Result<&str> {
        self.urls[provider].as_str().context("no such provider")
    }

    /// The environment of a cloud in which these tiers are set up.
    pub(crate) fn environment(&self, providers: &[&str]) -> anyhow::Result<Vec<(String, String)>> {
        let mut variables = Vec::new();
        for (provider, variable) in PROVIDERS.iter().filter(|(name, _)| providers.contains(name)) {
            let url = self.url(provider)?.to_owned();
            let setting = format!("ROBBIE_CLOUD_{}__BASE_URL", provider.to_uppercase());
            let value = if *provider == "ollama" { url.clone() } else { KEY.to_owned() };
            variables.extend([((*variable).to_owned(), value), (setting, url)]);
        }
        Ok(variables)
    }

    /// Where they are told what to do, and the path of one of them.
    fn control(&self, provider: &str) -> anyhow::Result<(Client, String)> {
        let url = self.urls["control"].as_str().context("no control")?;
        let (address, path) = url.trim_start_matches("http://").split_once('/').context("no URL")?;
        Ok((Client::connect(address.parse()?, "")?, format!("/{path}{provider}")))
    }

    /// Tells a provider what it answers, or how it fails: the fields of `models_twin::Change`.
    pub(crate) fn tell(&self, provider: &str, what: &Value) -> anyhow::Result<()> {
        let (mut control, path) = self.control(provider)?;
        let answer = control.ask("PUT", &path, &what.to_string())?;
        ensure!(answer.status < 300, "{provider}: {}", String::from_utf8_lossy(&answer.body));
        Ok(())
    }

    /// The same to all.
    pub(crate) fn tell_all(&self, what: &Value) -> anyhow::Result<()> {
        PROVIDERS.iter().try_for_each(|(provider, _)| self.tell(provider, what))
    }

    /// Takes the fault of a provider back.
    pub(crate) fn mend(&self, provider: &str) -> anyhow::Result<()> {
        self.tell(provider, &json!({ "fault": null }))
    }

    /// What a provider saw: `requests`, `under_way`, `dropped_by_client`, `last`.
    pub(crate) fn seen(&self, provider: &str) -> anyhow::Result<Value> {
        let (mut control, path) = self.control(provider)?;
        control.get(&path)
    }
}
