//! What the service manager hears: ready, alive only while the gate ticks, ending.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::agent::Start;
use crate::support::{DEADLINE, Place};

struct Manager {
    socket: UnixDatagram,
}

impl Manager {
    /// The next message within `patience`.
    fn hear(&self, patience: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(patience)).unwrap();
        let mut bytes = [0; 4096];
        let count = self.socket.recv(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes[..count]).into_owned())
    }

    fn wait_for(&self, wanted: &str) {
        let end = Instant::now() + DEADLINE;
        while Instant::now() < end {
            if self
                .hear(Duration::from_secs(1))
                .is_some_and(|message| message.lines().any(|line| line == wanted))
            {
                return;
            }
        }
        panic!("the agent never said {wanted}");
    }
}

#[test]
fn the_service_manager_hears_ready_alive_and_stopping() {
    // WATCHDOG=1 comes at the rate asked for, ceases while the process stands still, and comes again; STOPPING=1 is last.
    let place = Place::new();
    let path = place.root().join("notify");
    let manager = Manager { socket: UnixDatagram::bind(&path).unwrap() };
    let agent = Start::new(&place)
        .environment("NOTIFY_SOCKET", path.to_str().unwrap())
        .environment("WATCHDOG_USEC", "600000")
        .run();
    manager.wait_for("READY=1");
    for _ in 0..3 {
        let started = Instant::now();
        manager.wait_for("WATCHDOG=1");
        assert!(started.elapsed() < Duration::from_millis(600), "fed after {:?}", started.elapsed());
    }
    agent.signal(Signal::STOP);
    // What was on its way when it froze.
    while manager.hear(Duration::from_millis(100)).is_some() {}
    assert_eq!(manager.hear(Duration::from_millis(900)), None, "fed by a frozen process");
    agent.signal(Signal::CONT);
    manager.wait_for("WATCHDOG=1");
    let ended = std::thread::scope(|scope| {
        let end = scope.spawn(|| agent.end());
        manager.wait_for("STOPPING=1");
        end.join().unwrap()
    });
    assert!(ended.success());
}
