//! `robbie-tryout broker`: what robot and cloud need of MQTT, and its limits.

use std::net::TcpListener;
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, LastWill, MqttOptions, Packet, Publish, QoS};
use tokio::time::timeout;

use crate::support::{PATIENCE, Running, output, robbie_tryout};

struct Client {
    client: AsyncClient,
    events: EventLoop,
}

impl Client {
    async fn connect(id: &str, port: u16) -> Self {
        Self::connect_with(MqttOptions::new(id, "127.0.0.1", port)).await
    }

    async fn connect_with(mut options: MqttOptions) -> Self {
        options.set_max_packet_size(1024 * 1024, 1024 * 1024);
        let (client, events) = AsyncClient::new(options, 16);
        let mut connected = Self { client, events };
        connected.wait_for(|packet| matches!(packet, Packet::ConnAck(_))).await;
        connected
    }

    async fn subscribe(&mut self, filter: &str) {
        self.client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
        self.wait_for(|packet| matches!(packet, Packet::SubAck(_))).await;
    }

    /// Publishes with QoS 1 and waits for the broker's acknowledgement.
    async fn publish(&mut self, topic: &str, retain: bool, payload: Vec<u8>) {
        self.client.publish(topic, QoS::AtLeastOnce, retain, payload).await.unwrap();
        self.wait_for(|packet| matches!(packet, Packet::PubAck(_))).await;
    }

    async fn message(&mut self) -> Publish {
        match self.wait_for(|packet| matches!(packet, Packet::Publish(_))).await {
            Packet::Publish(message) => message,
            other => unreachable!("{other:?}"),
        }
    }

    async fn wait_for(&mut self, is_it: impl Fn(&Packet) -> bool) -> Packet {
        let found = async {
            loop {
                match self.events.poll().await.unwrap() {
                    Event::Incoming(packet) if is_it(&packet) => return packet,
                    _ => {}
                }
            }
        };
        timeout(PATIENCE, found).await.unwrap()
    }
}

#[tokio::test]
async fn carries_messages_between_robot_and_cloud() {
    let (_broker, port) = Running::broker();
    let mut robot = Client::connect("robot", port).await;
    let mut cloud = Client::connect("cloud", port).await;
    cloud.subscribe("robbie/v1/home/+/sync/up").await;
    // A whole frame: 64 KiB and what stands around it.
    let frame = vec![7; 100 * 1024];
    robot.publish("robbie/v1/home/r1/sync/up", false, frame.clone()).await;
    let message = cloud.message().await;
    assert_eq!((message.topic.as_str(), message.qos), ("robbie/v1/home/r1/sync/up", QoS::AtLeastOnce));
    assert!(message.payload == frame, "the frame arrives as it was sent");
}

#[tokio::test]
async fn keeps_the_last_state_for_those_who_come_later() {
    let (_broker, port) = Running::broker();
    let mut robot = Client::connect("robot", port).await;
    robot.publish("robbie/v1/home/r1/status", true, b"online".to_vec()).await;
    let mut cloud = Client::connect("cloud", port).await;
    cloud.subscribe("robbie/v1/home/+/status").await;
    let message = cloud.message().await;
    assert_eq!((&message.payload[..], message.retain), (b"online".as_slice(), true));
}

#[tokio::test]
async fn tells_the_last_will_of_a_robot_that_vanishes() {
    let (_broker, port) = Running::broker();
    let mut options = MqttOptions::new("robot", "127.0.0.1", port);
    options.set_last_will(LastWill::new("robbie/v1/home/r1/status", "offline", QoS::AtLeastOnce, true));
    let robot = Client::connect_with(options).await;
    let mut cloud = Client::connect("cloud", port).await;
    cloud.subscribe("robbie/v1/home/+/status").await;
    drop(robot);
    assert_eq!(&cloud.message().await.payload[..], b"offline");
}

#[tokio::test]
async fn cuts_off_whoever_sends_too_much_and_goes_on_for_the_others() {
    let (_broker, port) = Running::broker();
    let mut cloud = Client::connect("cloud", port).await;
    cloud.subscribe("t").await;
    let mut greedy = Client::connect("greedy", port).await;
    greedy.client.publish("t", QoS::AtLeastOnce, false, vec![0; 200 * 1024]).await.unwrap();
    let cut = async { while greedy.events.poll().await.is_ok() {} };
    timeout(PATIENCE, cut).await.unwrap();
    Client::connect("robot", port).await.publish("t", false, b"small".to_vec()).await;
    assert_eq!(&cloud.message().await.payload[..], b"small");
}

#[tokio::test]
async fn goes_on_when_there_are_too_many() {
    let (_broker, port) = Running::broker();
    let mut clients = Vec::new();
    for number in 0..64 {
        clients.push(Client::connect(&format!("c{number}"), port).await);
    }
    for round in 0..3 {
        let mut options = MqttOptions::new("late", "127.0.0.1", port);
        options.set_keep_alive(Duration::from_secs(5));
        let (_client, mut events) = AsyncClient::new(options, 16);
        let refused = async {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => panic!("round {round}: one too many"),
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        };
        timeout(PATIENCE, refused).await.unwrap();
    }
    let (mut one, mut other) = (clients.pop().unwrap(), clients.pop().unwrap());
    other.subscribe("t").await;
    one.publish("t", false, b"still here".to_vec()).await;
    assert_eq!(&other.message().await.payload[..], b"still here");
}

#[test]
fn says_which_flag_helps() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    for (listen, code, why) in [
        (taken.local_addr().unwrap().to_string(), 69, "--listen"),
        ("0.0.0.0:1883".to_owned(), 64, "loopback"),
    ] {
        let ended = output(robbie_tryout().args(["broker", "--listen", &listen]));
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(code), "{said}");
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn ends_in_order() {
    for signal in ["TERM", "INT"] {
        let (mut broker, _) = Running::broker();
        broker.signal(signal);
        assert!(broker.wait().success(), "{signal}");
    }
}
