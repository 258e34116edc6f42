//! `robbie-body` as a person or a script runs it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::pty::{Client, trace_lines};

const DEADLINE: Duration = Duration::from_secs(10);

fn robbie_body() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_robbie-body"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !done() {
        assert!(Instant::now() < end, "waited for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn wait_for_end(child: &mut Child) -> ExitStatus {
    let mut status = None;
    wait_until("the end", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap()
}

/// Runs it with arguments it must refuse.
fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let mut child = robbie_body().args(arguments).spawn().unwrap();
    wait_for_end(&mut child);
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("robot");
    (dir, link)
}

#[test]
fn stands_in_for_a_serial_port_until_it_is_ended() {
    // The link leads to a body that answers; faults typed into it act; SIGTERM ends it and takes the link away.
    let (dir, link) = folder();
    let trace = dir.path().join("trace.jsonl");
    symlink(dir.path().join("gone"), &link).unwrap();
    let mut child = robbie_body()
        .arg("--link")
        .arg(&link)
        .arg("--trace")
        .arg(&trace)
        .args(["--seed", "3"])
        .spawn()
        .unwrap();
    wait_until("the link", || link.exists());
    let mut client = Client::open(&link);
    let hello = client.host.ask_hello();
    client.tell(&hello);
    client.until("hello", |host| host.hello.is_some());
    child.stdin.as_mut().unwrap().write_all(b"nonsense\nestop press\n").unwrap();
    wait_until("the e-stop in the trace", || {
        trace_lines(&trace).iter().any(|line| line["state"] == "estop" && line["reason"] == "button_estop")
    });
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(wait_for_end(&mut child).success());
    assert!(fs::symlink_metadata(&link).is_err());
    let output = child.wait_with_output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("/dev/pts/"));
    assert!(String::from_utf8(output.stderr).unwrap().contains("unknown fault \"nonsense\""));
}

/// A body that is asked to put its link where `wanted` stands says so with exit code 69 and changes nothing.
fn check_link_refused(link: &Path, wanted: &str) {
    let (code, message) = refused(&["--link", link.to_str().unwrap()]);
    assert_eq!(code, Some(69), "{message}");
    assert!(message.contains(wanted), "{message}");
    assert!(link.exists());
}

#[test]
fn replaces_nothing_but_a_stale_link() {
    // A file, a folder, or a link to something that exists stays as it is.
    let (dir, link) = folder();
    fs::write(&link, "precious").unwrap();
    check_link_refused(&link, "is no symlink");
    assert_eq!(fs::read_to_string(&link).unwrap(), "precious");
    check_link_refused(dir.path(), "is no symlink");
    let other = dir.path().join("other");
    symlink(&link, &other).unwrap();
    check_link_refused(&other, "already leads to");
}

#[test]
fn says_what_is_wrong_with_its_arguments() {
    // Exit code 64 for the command line, 78 for a profile, and a message that names the fault.
    let (dir, _) = folder();
    assert_eq!(refused(&["--speed", "3"]).0, Some(64));
    assert_eq!(refused(&["--seed", "many"]).0, Some(64));
    let missing = dir.path().join("missing.toml");
    let (code, message) = refused(&["--profile", missing.to_str().unwrap()]);
    assert_eq!(code, Some(78));
    assert!(message.contains("missing.toml") && message.contains("No such file"), "{message}");
    let bad = dir.path().join("bad.toml");
    fs::write(&bad, "hold_ms = 5").unwrap();
    let (code, message) = refused(&["--profile", bad.to_str().unwrap()]);
    assert_eq!(code, Some(78));
    assert!(message.contains("hold_ms = 5 must be 60 to 500"), "{message}");
    let (code, message) = refused(&["--trace", "/nowhere/trace"]);
    assert_eq!(code, Some(69));
    assert!(message.contains("/nowhere/trace"), "{message}");
}

#[test]
fn explains_its_faults() {
    // --help lists every fault, and is no error.
    let output = robbie_body().arg("--help").output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for word in
        ["reset REASON", "silence MS", "garbage N", "encoder left|right stuck", "battery VOLTS", "estop"]
    {
        assert!(text.contains(word), "{text}");
    }
}
