//! Debian's mosquitto as a child process, with the configuration that ships, and somebody who speaks through it as the cloud does.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rumqttc::{Client, Event, LastWill, MqttOptions, Packet, QoS};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{DEADLINE, Place, wait_for, wait_until};

const SHIPPED: &str = include_str!("../../../../systemd/mosquitto-robbie.conf");
const LISTENER: &str = "listener 1883 127.0.0.1";

/// A running broker. Dropping it kills it.
pub(crate) struct Broker {
    child: Child,
    port: u16,
    config: std::path::PathBuf,
}

impl Broker {
    /// Starts one; `None` where mosquitto is not installed, which is said. With `CI=true` that is a failure.
    pub(crate) fn start(place: &Place) -> Option<Self> {
        if !Path::new("/usr/sbin/mosquitto").exists() {
            assert!(std::env::var_os("CI").is_none(), "mosquitto is missing: apt-get install mosquitto");
            eprintln!("left out, for mosquitto is missing: apt-get install mosquitto");
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert!(SHIPPED.contains(LISTENER));
        let config = place.root().join("mosquitto.conf");
        std::fs::write(&config, SHIPPED.replace(LISTENER, &format!("listener {port} 127.0.0.1"))).unwrap();
        let mut broker = Self { child: Self::spawn(&config), port, config };
        broker.wait_until_it_listens();
        Some(broker)
    }

    fn spawn(config: &Path) -> Child {
        let mut command = Command::new("/usr/sbin/mosquitto");
        command.arg("-c").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    fn wait_until_it_listens(&mut self) {
        let port = self.port;
        wait_until("the broker", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Starts it again after [`Self::kill`].
    pub(crate) fn restart(&mut self) {
        self.child = Self::spawn(&self.config);
        self.wait_until_it_listens();
    }

    /// It stands still, as if its network were gone: connections stay, and nothing is said.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// It goes on.
    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A message as it came.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) at: Instant,
}

impl Heard {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap_or_default()
    }
}

/// Somebody at the broker who hears everything and says what a test says.
pub(crate) struct Speaker {
    client: Client,
    heard: Arc<Mutex<Vec<Heard>>>,
    base: String,
}

impl Speaker {
    /// For the robot `robbie` in the town `home`.
    pub(crate) fn connect(broker: &Broker, name: &str) -> Self {
        let mut options = MqttOptions::new(name, "127.0.0.1", broker.port);
        options.set_max_packet_size(1 << 20, 1 << 20);
        options.set_last_will(LastWill::new("test/left", name, QoS::AtMostOnce, false));
        let (client, mut connection) = Client::new(options, 64);
        client.subscribe("robbie/#", QoS::AtLeastOnce).unwrap();
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let hearing = Arc::downgrade(&heard);
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for event in connection.iter() {
                let Some(heard) = hearing.upgrade() else { return };
                match event {
                    Ok(Event::Incoming(Packet::Publish(message))) => heard.lock().unwrap().push(Heard {
                        topic: message.topic,
                        payload: message.payload.to_vec(),
                        at: Instant::now(),
                    }),
                    Ok(Event::Incoming(Packet::SubAck(_))) => drop(ready.send(())),
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        });
        is_ready.recv_timeout(DEADLINE).unwrap();
        Self { client, heard, base: "robbie/v1/home/robbie".to_owned() }
    }

    /// Says something on any topic.
    pub(crate) fn say(&self, topic: &str, payload: &[u8], quality: QoS, retained: bool) {
        self.client.publish(topic, quality, retained, payload).unwrap();
    }

    /// Sends a command.
    pub(crate) fn command(&self, kind: &str, body: &Value) {
        self.command_bytes(kind, body.to_string().as_bytes());
    }

    /// The same with anything in it.
    pub(crate) fn command_bytes(&self, kind: &str, payload: &[u8]) {
        let quality = match kind {
            "velocity" | "teleop" | "watch" => QoS::AtMostOnce,
            _ => QoS::AtLeastOnce,
        };
        self.say(&format!("{}/command/{kind}", self.base), payload, quality, false);
    }

    /// Sends a command and waits for its result.
    pub(crate) fn ask(&self, kind: &str, id: &str, body: &Value) -> Value {
        let mut body = body.clone();
        body["id"] = json!(id);
        self.command(kind, &body);
        self.result(id)
    }

    /// Waits for the result of a command.
    #[track_caller]
    pub(crate) fn result(&self, id: &str) -> Value {
        wait_for(&format!("the result of {id}"), || self.results(id).first().cloned())
    }

    /// The results of a command so far.
    pub(crate) fn results(&self, id: &str) -> Vec<Value> {
        let all = self.heard("command-result");
        all.iter().map(Heard::json).filter(|result| result["id"] == id).collect()
    }

    /// What came on this topic of the robot so far.
    pub(crate) fn heard(&self, name: &str) -> Vec<Heard> {
        let topic = format!("{}/{name}", self.base);
        self.heard.lock().unwrap().iter().filter(|heard| heard.topic == topic).cloned().collect()
    }

    /// Waits for something on this topic.
    #[track_caller]
    pub(crate) fn wait_for(&self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let found = || self.heard(name).iter().map(Heard::json).find(&wanted);
        wait_for(name, found)
    }

    /// The stamp of a state that is fresh: asked for if need be.
    pub(crate) fn seen(&self) -> Value {
        self.command("watch", &json!({}));
        let after = Instant::now();
        let fresh = || {
            let newest = self.heard("state").pop().filter(|newest| newest.at > after)?;
            Some(newest.json()["seen"].clone())
        };
        wait_for("a fresh state", fresh)
    }

    /// States that came within this time.
    pub(crate) fn states_within(&self, time: Duration) -> usize {
        let begin = Instant::now();
        std::thread::sleep(time);
        self.heard("state").iter().filter(|heard| heard.at > begin).count()
    }
}
