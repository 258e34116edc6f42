//! What the machine charges for the way of a command without an agent: TCP to a thread, that thread to a pty, a reader there.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{read, write};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use crate::stats::{Chance, Samples, monotonic_us, ms_between};

/// Bytes of a request with its head, and of a frame.
const REQUEST: [u8; 250] = [b'r'; 250];
const FRAME: [u8; 40] = [b'f'; 40];

/// Times from before a request is sent until the frame was read at the other end, ms.
pub(crate) fn measure(rounds: usize) -> anyhow::Result<Samples> {
    let body = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&body)?;
    unlockpt(&body)?;
    let port =
        open(ptsname(&body, Vec::new())?, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    let mut settings = tcgetattr(&port)?;
    settings.make_raw();
    tcsetattr(&port, OptionalActions::Now, &settings)?;

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    client.set_nodelay(true)?;
    let (mut server, _) = listener.accept()?;
    let gate: JoinHandle<()> = std::thread::spawn(move || {
        let mut bytes = [0; REQUEST.len()];
        while server.read_exact(&mut bytes).is_ok() && write(&port, &FRAME).is_ok() {}
    });
    let (sender, arrivals) = channel();
    let reader = std::thread::spawn(move || {
        let mut bytes = [0; 512];
        let mut count = 0;
        while let Ok(more @ 1..) = read(&body, &mut bytes) {
            count += more;
            if count >= FRAME.len() {
                count = 0;
                if sender.send(monotonic_us()).is_err() {
                    return;
                }
            }
        }
    });
    let mut chance = Chance::new(5);
    let mut took = Vec::new();
    for _ in 0..rounds {
        // As long apart that both threads sleep.
        std::thread::sleep(Duration::from_millis(3) + chance.up_to_ms(4));
        let sent_us = monotonic_us();
        client.write_all(&REQUEST)?;
        let arrived_us =
            arrivals.recv_timeout(Duration::from_secs(10)).context("the floor does not answer")?;
        took.push(ms_between(sent_us, arrived_us));
    }
    // Closing ends the first thread, whose end closes the pty and so ends the second.
    drop(client);
    drop(gate.join());
    drop(reader.join());
    Ok(Samples::new(took))
}
