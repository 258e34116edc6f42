//! One connection after another: connect, subscribe, say hello, carry messages until it breaks, wait, begin anew.

use std::time::Duration;

use rumqttc::{
    AsyncClient, ClientError, ConnectionError, Event, EventLoop, Outgoing, Packet, SubscribeFilter,
    SubscribeReasonCode,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::options::{options, quality};
use super::{Config, Message, Mqtt, Received};

/// Messages that the client holds before it has sent them; few, so that what is urgent does not wait behind them.
const HANDED_MAX: usize = 4;
/// Pauses between connections: the first, doubling, at most the last.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// A connection that lasted so long was a good one: the next pause is the first again.
const GOOD_AFTER: Duration = Duration::from_secs(10);
/// The broker answers a subscription in milliseconds.
const SUBSCRIBED_WITHIN: Duration = Duration::from_secs(10);
/// A broker that acknowledges nothing for so long, or says nothing at all, is left.
const SILENT_AFTER: Duration = Duration::from_secs(30);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("the connection to the broker broke")]
    Broke(#[from] ConnectionError),
    #[error("the broker does not let us hear what we need")]
    Refused,
    #[error("the broker falls silent")]
    Silent,
    #[error("the client has ended")]
    Client(#[from] ClientError),
}

/// Keeps a connection as long as `config` names a broker, until nobody can change it any more. `receive` gets every message,
/// one after the other; it must not wait.
pub async fn run(
    mqtt: Mqtt,
    mut config: watch::Receiver<Option<Config>>,
    receive: impl Fn(Received) + Send + Sync + 'static,
) {
    let mut pause = PAUSE.0;
    loop {
        let Some(wanted) = config.borrow_and_update().clone() else {
            if config.changed().await.is_err() {
                return;
            }
            continue;
        };
        let began = Instant::now();
        let ended = tokio::select! {
            ended = connection(&mqtt, &wanted, &receive) => Some(ended),
            changed = config.changed() => {
                if changed.is_err() {
                    // Nobody changes it any more; it stays as it is.
                    Some(connection(&mqtt, &wanted, &receive).await)
                } else {
                    None
                }
            }
        };
        lost(&mqtt);
        let Some(ended) = ended else {
            pause = PAUSE.0;
            continue;
        };
        if began.elapsed() >= GOOD_AFTER {
            pause = PAUSE.0;
        }
        tell(&wanted, &ended, pause);
        tokio::select! {
            () = sleep(jittered(pause)) => {}
            _changed = config.changed() => {}
        }
        pause = (pause * 2).min(PAUSE.1);
    }
}

fn lost(mqtt: &Mqtt) {
    mqtt.set_connected(false);
    mqtt.outgoing().lost();
    if mqtt.poison().lost() {
        metrics::counter!("robbie_mqtt_quarantined_total").increment(1);
        tracing::error!("the broker ended three connections over the same message: it is sent no more");
    }
}

/// A broker that is away is said once.
fn tell(config: &Config, ended: &Ended, pause: Duration) {
    let why = crate::failure::chain(ended);
    if pause == PAUSE.0 {
        tracing::warn!(broker = %config.broker, "{why}; trying again");
    } else {
        tracing::debug!(broker = %config.broker, "{why}");
    }
}

/// Those who lost the same broker do not come back in step.
fn jittered(pause: Duration) -> Duration {
    let dice = getrandom::u32().unwrap_or(512) % 1024;
    pause.mul_f64(0.75 + 0.5 * f64::from(dice) / 1024.0)
}

async fn connection(mqtt: &Mqtt, config: &Config, receive: &impl Fn(Received)) -> Ended {
    let (client, mut events) = AsyncClient::new(options(config), HANDED_MAX);
    let mut network = events.network_options();
    network.set_tcp_nodelay(true);
    events.set_network_options(network);
    tokio::select! {
        ended = listen(mqtt, &mut events, receive) => ended,
        ended = speak(mqtt, &client, config) => ended,
        () = watch_silence(mqtt) => Ended::Silent,
    }
}

/// Polls the client. It waits for nothing else, or the client would freeze.
async fn listen(mqtt: &Mqtt, events: &mut EventLoop, receive: &impl Fn(Received)) -> Ended {
    loop {
        let event = match events.poll().await {
            Ok(event) => event,
            Err(error) => return error.into(),
        };
        let packet = match event {
            Event::Incoming(packet) => packet,
            Event::Outgoing(Outgoing::Publish(number)) => {
                mqtt.poison().sent(number, Instant::now());
                continue;
            }
            Event::Outgoing(_) => continue,
        };
        mqtt.0.heard.send_replace(Some(Instant::now()));
        match packet {
            Packet::Publish(message) => {
                receive(Received { topic: message.topic, payload: message.payload, retained: message.retain })
            }
            Packet::PubAck(acknowledged) => mqtt.poison().acknowledged(acknowledged.pkid),
            Packet::SubAck(answer) => {
                if answer.return_codes.contains(&SubscribeReasonCode::Failure) {
                    return Ended::Refused;
                }
                mqtt.set_connected(true);
            }
            _ => {}
        }
    }
}

/// Subscribes, says hello, and then hands the client what waits.
async fn speak(mqtt: &Mqtt, client: &AsyncClient, config: &Config) -> Ended {
    let filters = config
        .filters
        .iter()
        .map(|(filter, delivery)| SubscribeFilter { path: filter.clone(), qos: quality(*delivery) });
    if let Err(error) = client.subscribe_many(filters).await {
        return error.into();
    }
    let mut connected = mqtt.connection();
    if timeout(SUBSCRIBED_WITHIN, connected.wait_for(|is_connected| *is_connected)).await.is_err() {
        return Ended::Silent;
    }
    tracing::info!(broker = %config.broker, "connected to the broker");
    if let Some(hello) = &config.hello
        && let Err(error) = hand_over(mqtt, client, hello.clone()).await
    {
        return error.into();
    }
    loop {
        let next = mqtt.outgoing().next();
        let Some(message) = next else {
            mqtt.0.added.notified().await;
            continue;
        };
        if let Err(error) = hand_over(mqtt, client, message).await {
            return error.into();
        }
    }
}

async fn hand_over(mqtt: &Mqtt, client: &AsyncClient, message: Message) -> Result<(), ClientError> {
    mqtt.poison().handed(&message);
    let Message { topic, payload, delivery, retained } = message;
    client.publish_bytes(topic, quality(delivery), retained, payload).await
}

async fn watch_silence(mqtt: &Mqtt) {
    let began = Instant::now();
    loop {
        sleep(LOOK_EVERY).await;
        let now = Instant::now();
        let heard = mqtt.heard().map_or(began, |heard| heard.max(began));
        if now - heard >= SILENT_AFTER || mqtt.poison().oldest_waits(now) >= SILENT_AFTER {
            return;
        }
    }
}
