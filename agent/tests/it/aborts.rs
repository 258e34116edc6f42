//! A panic in the gate's thread ends the process, so that the body stops by its hold.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use agent::supervise::AbortOnPanic;
use rustix::process::Signal;

use crate::support::wait_for;

/// Tells this test that it is the child.
const CHILD: &str = "ROBBIE_TEST_PANICS";

#[test]
fn a_panic_under_the_gates_guard_aborts_the_process() {
    // The test runs itself anew as a child: a thread that holds the gate thread's guard panics there, and the child dies
    // by SIGABRT although nobody joins that thread.
    if std::env::var_os(CHILD).is_some() {
        std::thread::spawn(|| {
            let _abort = AbortOnPanic;
            panic!("as if in the gate");
        });
        std::thread::sleep(crate::support::DEADLINE);
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "aborts::a_panic_under_the_gates_guard_aborts_the_process", "--nocapture"])
        .env(CHILD, "yes")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = wait_for("the child's end", || child.try_wait().unwrap());
    assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()), "{status}");
}
