//! The command line as a person types it, against a real agent: what is printed, the exit codes, and `drive` on a real pty.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test, in helpers too")]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use serde_json::Value;

/// Far more than anything here takes, also on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_robbie-agent"));
    // Nothing of the machine's own robot may leak in.
    command.env_clear().env("ROBBIE_DATA", folder).env("TERM", "xterm-256color");
    command
}

/// Ends with this code; gives what it printed.
fn check(folder: &Path, arguments: &[&str], code: i32) -> String {
    let Output { status, stdout, stderr } = command(folder).args(arguments).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert_eq!(status.code(), Some(code), "{arguments:?}: {text}");
    text
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// An agent with a simulated body in a folder of its own.
struct Agent {
    process: Child,
    folder: tempfile::TempDir,
}

impl Agent {
    fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = command(folder.path())
            .arg("run")
            .args(flags)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let agent = Self { process, folder };
        let file = agent.folder().join("agent.json");
        until("the note of the running agent", || file.exists().then_some(()));
        until("an armed body", || (agent.state()?["mcu"]["armed"] == true).then_some(()));
        agent
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn url(&self) -> String {
        let note: Value =
            serde_json::from_slice(&std::fs::read(self.folder().join("agent.json")).unwrap()).unwrap();
        note["url"].as_str().unwrap().to_owned()
    }

    fn state(&self) -> Option<Value> {
        let output = command(self.folder()).args(["status", "--json"]).output().ok()?;
        serde_json::from_slice(&output.stdout).ok()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing left to end.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn exit_codes_tell_usage_from_configuration_from_absence() {
    let folder = tempfile::tempdir().unwrap();
    let check = |arguments: &[&str], code, part: &str| {
        let text = check(folder.path(), arguments, code);
        assert!(text.contains(part), "{part} in {text}");
    };
    check(&[], 64, "Usage");
    check(&["fly"], 64, "fly");
    check(&["--help"], 0, "robbie-agent drive");
    check(&["status", "--url", "robot"], 64, "--url");
    check(&["token", "create", "--scope", "fly"], 64, "fly");
    check(&["config", "check", "--set", "motion.linear_mps_max=9"], 78, "from 0.05 to 3 m/s");
    check(&["config", "check"], 0, "");
    check(&["config", "show"], 0, "linear_mps_max = 0.6");
    check(&["run", "--listen", "0.0.0.0:0"], 78, "--lan");
    check(&["status"], 69, "robbie-agent run");
    check(&["drive"], 69, "robbie-agent run");
}

#[test]
fn commands_work_beside_a_running_agent() {
    let agent = Agent::start(&["--listen", "127.0.0.1:0"]);
    let run = |arguments: &[&str], code| check(agent.folder(), arguments, code);
    assert!(run(&["status"], 0).contains("base     open"));
    assert!(
        run(&["run", "--listen", "127.0.0.1:0"], 69).contains(&format!("process {}", agent.process.id()))
    );

    assert!(run(&["estop", "--reason", "cat on the stairs"], 0).contains("the body confirmed it"));
    assert!(run(&["status"], 0).contains("LATCHED, epoch 1 (cat on the stairs)"));
    assert!(run(&["reset"], 0).contains("e-stop 1"));
    assert!(run(&["reset"], 0).contains("no e-stop is latched"));

    let token = run(&["token", "create", "--scope", "read", "--name", "shelf"], 0);
    assert_eq!(token.split_whitespace().count(), 1, "only the token: {token}");
    assert!(run(&["token", "list"], 0).contains("shelf"));
    run(&["token", "revoke", "shelf"], 0);
    assert!(!run(&["token", "list"], 0).contains("shelf"));

    let report: Value = serde_json::from_str(&run(&["doctor", "--json"], 0)).unwrap();
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["id"] == "body.mcu" && check["status"] == "ok"), "{report}");
}

#[test]
fn a_reader_who_leaves_ends_a_command_quietly() {
    // As in `robbie-agent config show | head -1`.
    let folder = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = command(folder.path()).args(["config", "show"]).stdout(writer).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        said.is_empty() && ended.status.signal() == Some(rustix::process::Signal::PIPE.as_raw()),
        "{}: {said}",
        ended.status
    );
}

#[test]
fn stop_needs_neither_folder_nor_token() {
    // Whoever is near, as whichever user, over TLS as well.
    let agent = Agent::start(&["--set", "http.lan=true", "--listen", "127.0.0.2:0"]);
    let nobody = tempfile::tempdir().unwrap();
    let url = agent.url();
    assert!(url.starts_with("https://"), "{url}");
    assert!(check(nobody.path(), &["stop", "--url", &url], 0).contains("stop"));
    assert_eq!(agent.state().unwrap()["base"]["closed"]["by"], "stop");
    assert!(check(nobody.path(), &["estop", "--url", &url], 0).contains("latched"));
    check(nobody.path(), &["status", "--url", &url], 69);
    assert_eq!(agent.state().unwrap()["estop"]["latched"], true);
}

/// `drive` on a pty of its own, with a terminal behind it that speaks the kitty protocol.
struct Driver {
    process: Child,
    terminal: File,
    program_side: OwnedFd,
    printed: Receiver<Vec<u8>>,
    text: String,
}

impl Driver {
    fn start(folder: &Path) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap();
        let open = || File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        let process =
            command(folder).arg("drive").stdin(open()).stdout(open()).stderr(Stdio::null()).spawn().unwrap();
        let program_side = OwnedFd::from(open());
        let terminal = File::from(terminal);
        let (sender, printed) = channel();
        let mut reader = terminal.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let mut driver = Self { process, terminal, program_side, printed, text: String::new() };
        // crossterm asks whether the terminal speaks the protocol, and what it is.
        driver.wait_for("\x1b[?u");
        driver.press("\x1b[?0u\x1b[?62;22c");
        driver
    }

    fn press(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).unwrap();
    }

    fn wait_for(&mut self, part: &str) {
        until(part, || {
            while let Ok(bytes) = self.printed.try_recv() {
                self.text.push_str(&String::from_utf8_lossy(&bytes));
            }
            self.text.contains(part).then_some(())
        });
    }

    fn is_raw(&self) -> bool {
        !tcgetattr(&self.program_side).unwrap().local_modes.contains(LocalModes::ICANON)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

const UP_PRESSED: &str = "\x1b[1;1:1A";
const UP_RELEASED: &str = "\x1b[1;1:3A";

#[test]
fn drive_moves_while_a_key_is_held_and_leaves_the_terminal_as_it_was() {
    let agent = Agent::start(&["--listen", "127.0.0.1:0"]);
    let speed = || agent.state().map(|state| state["base"]["velocity"]["linear_mps"].as_f64().unwrap());
    let mut driver = Driver::start(agent.folder());
    driver.wait_for("picture fresh");
    assert!(driver.is_raw());

    driver.press(UP_PRESSED);
    until("motion", || speed().filter(|speed| *speed > 0.1));
    driver.press(UP_RELEASED);
    until("standstill", || speed().filter(|speed| *speed == 0.0));
    assert!(agent.state().unwrap()["base"]["closed"].is_null(), "letting go closes nothing");

    driver.press(UP_PRESSED);
    until("motion", || speed().filter(|speed| *speed > 0.1));
    driver.press(" ");
    until("closed by stop", || (agent.state()?["base"]["closed"]["by"] == "stop").then_some(()));
    driver.wait_for("stopped; t takes control again");
    driver.press("t");
    driver.wait_for("you have control");
    // The arrow is still held since before the stop: taking control alone must not set off.
    assert!(driver.text.contains("let go, then press again"));
    until("standstill", || speed().filter(|speed| *speed == 0.0));

    driver.press("q");
    let status = until("the end", || driver.process.try_wait().unwrap());
    assert!(status.success());
    driver.wait_for("\x1b[?1049l");
    assert!(!driver.is_raw(), "the shell gets its terminal back");
}
