//! The port on a real pty.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use firmware_bridge_host::{Port, PortError, Session, SessionConfig, WireError};
use firmware_bridge_link::frame::{Class, FrameBuf, encode};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{ControlModes, LocalModes, OutputModes, tcgetattr};

use crate::real::Real;
use crate::world::{LIMITS, Mcu};

fn pty() -> (OwnedFd, PathBuf) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    fcntl_setfl(&master, OFlags::NONBLOCK).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    (master, name.into())
}

fn wait_readable(fd: impl AsFd) {
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    let ready = poll(&mut fds, Some(&Timespec { tv_sec: 5, tv_nsec: 0 })).unwrap();
    assert_eq!(ready, 1, "nothing came within 5 s");
}

fn frame(body: &[u8]) -> FrameBuf {
    let mut frame = FrameBuf::new();
    encode(Class::Log, 0, &body, &mut frame).unwrap();
    frame
}

#[test]
fn bytes_pass_unchanged_in_both_directions() {
    // Raw: no byte means anything to the tty.
    let (master, path) = pty();
    let mut port = Port::open(&path, 921_600).unwrap();
    let mut got = [0; 600];
    let (low, high): (Vec<u8>, Vec<u8>) = ((0..=127).collect(), (128..=255).collect());
    for frame in [frame(&low), frame(&high)] {
        assert!(port.write(&frame).unwrap());
        wait_readable(&master);
        let len = rustix::io::read(&master, &mut got).unwrap();
        assert_eq!(&got[..len], frame.as_bytes());
    }
    assert_eq!(port.read(&mut got).unwrap(), 0, "nothing there is no error");
    for bytes in [low, high] {
        rustix::io::write(&master, &bytes).unwrap();
        wait_readable(&port);
        let len = port.read(&mut got).unwrap();
        assert_eq!(&got[..len], bytes);
    }
}

#[test]
fn the_tty_is_raw_without_flow_control_and_hangs_up_on_close() {
    let (_master, path) = pty();
    let port = Port::open(&path, 921_600).unwrap();
    let settings = tcgetattr(&port).unwrap();
    assert!(!settings.local_modes.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG));
    assert!(!settings.output_modes.contains(OutputModes::OPOST));
    assert!(!settings.control_modes.contains(ControlModes::CRTSCTS));
}

#[test]
fn a_second_agent_on_the_same_port_is_told_so() {
    let (_master, path) = pty();
    let first = Port::open(&path, 921_600).unwrap();
    let second = Port::open(&path, 921_600).unwrap_err();
    assert!(matches!(second, PortError::Busy { .. }), "{second}");
    assert!(second.to_string().contains(path.to_str().unwrap()));
    drop(first);
    Port::open(&path, 921_600).unwrap();
}

#[test]
fn what_is_not_there_or_no_tty_is_told_so() {
    let missing = Port::open(Path::new("/dev/robbie-has-no-such-port"), 921_600).unwrap_err();
    assert!(matches!(missing, PortError::NotFound { .. }), "{missing}");
    let file = Port::open(Path::new("/dev/null"), 921_600).unwrap_err();
    assert!(matches!(file, PortError::NotATty { .. }), "{file}");
}

#[test]
fn a_closed_other_end_is_gone() {
    let (master, path) = pty();
    let mut port = Port::open(&path, 921_600).unwrap();
    drop(master);
    assert_eq!(port.read(&mut [0; 8]), Err(WireError::Gone));
    assert_eq!(port.write(&frame(&[1])), Err(WireError::Gone));
    assert_eq!(WireError::Gone.to_string(), "gone; unplugged, or the body's program ended");
}

#[test]
fn what_was_unread_before_opening_is_thrown_away() {
    let (master, path) = pty();
    let keep = Port::open(&path, 921_600).unwrap();
    rustix::io::write(&master, b"old state").unwrap();
    wait_readable(&keep);
    drop(keep);
    let mut port = Port::open(&path, 921_600).unwrap();
    assert_eq!(port.read(&mut [0; 32]).unwrap(), 0);
}

#[test]
fn when_the_kernel_is_full_a_begun_frame_is_finished_before_another() {
    let (master, path) = pty();
    let mut port = Port::open(&path, 921_600).unwrap();
    let mut begun = Vec::new();
    for number in 0..u32::MAX {
        let frame = frame(&[number as u8; 101]);
        if !port.write(&frame).unwrap() {
            break;
        }
        begun.extend_from_slice(frame.as_bytes());
        assert!(number < 2_000, "the pty never fills");
    }
    assert!(port.is_unfinished());
    assert!(!port.ready_for_frame().unwrap());
    let mut got = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(10);
    while got.len() < begun.len() {
        assert!(Instant::now() < deadline, "{} of {} bytes", got.len(), begun.len());
        let mut part = [0; 4_096];
        if let Ok(len) = rustix::io::read(&master, &mut part) {
            got.extend_from_slice(&part[..len]);
        }
        port.flush().unwrap();
    }
    assert_eq!(got, begun);
    assert!(port.ready_for_frame().unwrap());
}

#[test]
fn a_session_gets_ready_with_the_real_controller_over_a_pty() {
    let (master, path) = pty();
    let mut port = Port::open(&path, 921_600).unwrap();
    let mut session = Session::new(SessionConfig::new(LIMITS, 921_600));
    let mut mcu = Real::new(1);
    let start = Instant::now();
    let mut bytes = [0; 512];
    session.connected(0);
    while !(session.ready() && session.clock_synced(start.elapsed().as_micros() as u64)) {
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", session.losses());
        port.send_from(start.elapsed().as_micros() as u64, &mut session).unwrap();
        let len = rustix::io::read(&master, &mut bytes).unwrap_or(0);
        let mut out: Vec<FrameBuf> = Vec::new();
        mcu.turn(start.elapsed().as_micros() as u64, &bytes[..len], &mut out);
        for frame in out {
            rustix::io::write(&master, frame.as_bytes()).unwrap();
        }
        let len = port.read(&mut bytes).unwrap();
        session.receive(start.elapsed().as_micros() as u64, &bytes[..len]);
    }
    assert_eq!(session.frames_lost(), 0);
}
