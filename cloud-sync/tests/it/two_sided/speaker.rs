//! Somebody at the broker itself, past robot and cloud: hears everything, and says what a test says.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use cloud_sync_api::mqtt::{self, Broker, Bytes, Config, Delivery, Lane, Message, Mqtt, Received};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::system::System;
use crate::system::{wait_for, wait_until};

/// Begins every topic of the town.
const TOWN: &str = "robbie/v1/home/";

/// A client of the broker, until it is dropped.
pub(super) struct Speaker {
    mqtt: Mqtt,
    heard: Arc<Mutex<Vec<Received>>>,
    _runtime: Runtime,
}

impl Speaker {
    /// Connects, on a line of its own.
    pub(super) fn connect(system: &System) -> anyhow::Result<Self> {
        let broker = system.broker.as_ref().context("there is no broker")?;
        let broker = Broker::parse(&format!("mqtt://{}", broker.address), None, None)?;
        let config = Config {
            broker,
            client_id: "somebody".to_owned(),
            will: None,
            hello: None,
            filters: vec![(format!("{TOWN}#"), Delivery::AtLeastOnce)],
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (mqtt, heard) = (Mqtt::default(), Arc::<Mutex<Vec<Received>>>::default());
        let (_stays_as_it_is, config) = watch::channel(Some(config));
        let hearing = Arc::clone(&heard);
        runtime.spawn(mqtt::run(mqtt.clone(), config, move |message| {
            hearing.lock().unwrap_or_else(PoisonError::into_inner).push(message);
        }));
        wait_until("a connection to the broker", || Ok(mqtt.is_connected()))?;
        Ok(Self { mqtt, heard, _runtime: runtime })
    }

    /// Says something on a topic of the town.
    pub(super) fn say(&self, topic: &str, payload: &[u8]) -> anyhow::Result<()> {
        self.publish(topic, payload, false)
    }

    /// The same, and the broker keeps it for whoever comes later.
    pub(super) fn leave(&self, topic: &str, payload: &[u8]) -> anyhow::Result<()> {
        self.publish(topic, payload, true)
    }

    fn publish(&self, topic: &str, payload: &[u8], retained: bool) -> anyhow::Result<()> {
        let (topic, payload) = (format!("{TOWN}{topic}"), Bytes::copy_from_slice(payload));
        let message = Message { topic, payload, delivery: Delivery::AtLeastOnce, retained };
        Ok(self.mqtt.publish(Lane::Ordinary, message)?)
    }

    /// What was said on a topic of the town so far.
    pub(super) fn heard(&self, topic: &str) -> Vec<Bytes> {
        let topic = format!("{TOWN}{topic}");
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().filter(|one| one.topic == topic).map(|one| one.payload.clone()).collect()
    }

    /// Waits for the result of a command to a robot.
    pub(super) fn result(&self, robot: &str, id: &str) -> anyhow::Result<Value> {
        wait_for(&format!("the result of {id}"), || {
            let results = self.heard(&format!("{robot}/command-result"));
            let mut results = results.iter().filter_map(|one| serde_json::from_slice::<Value>(one).ok());
            Ok(results.find(|result| result["id"] == id))
        })
    }
}
