//! The whole system, nothing stood in for: what a person does after `make run`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::run::Tryout;
use crate::support::{eventually, robbie_tryout};

/// Starts it with the programs beside `robbie-tryout`. A test run of the whole workspace builds them; a run of this package
/// alone does not, so they are built here when one is missing.
fn start(data: &Path) -> Tryout {
    let folder = Path::new(env!("CARGO_BIN_EXE_robbie-tryout")).parent().unwrap();
    if !["robbie-agent", "robbie-cloud"].iter().all(|name| folder.join(name).exists()) {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "agent", "--bin", "robbie-agent"]);
        cargo.args(["--package", "cloud-sync", "--bin", "robbie-cloud"]);
        cargo.arg("--manifest-path").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml"));
        cargo.arg("--target-dir").arg(folder.parent().unwrap());
        if folder.file_name().is_some_and(|name| name == "release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success(), "robbie-agent and robbie-cloud cannot be built");
    }
    let mut command = robbie_tryout();
    command
        .args(["run", "--cloud-listen", "127.0.0.1:0", "--robot-listen", "127.0.0.1:0", "--data"])
        .arg(data);
    command.stderr(Stdio::piped());
    Tryout::start(command, data)
}

/// One side as its owner sees it.
struct Side {
    address: String,
    token: String,
}

impl Side {
    fn of(tryout: &Tryout, data: &Path, name: &str) -> Self {
        let address = tryout.note[name].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        let token = std::fs::read_to_string(data.join(name).join("owner-token")).unwrap().trim().to_owned();
        Self { address, token }
    }

    /// Status and body.
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (address, token, length) = (&self.address, &self.token, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    #[track_caller]
    fn write_note(&self, content: &str) {
        let (status, said) =
            self.ask("POST", "/api/sticky-notes/", &serde_json::json!({"content": content}).to_string());
        assert!((200..300).contains(&status), "{status} {said}");
    }

    fn has_note(&self, content: &str) -> bool {
        let (_, notes) = self.ask("GET", "/api/sticky-notes/", "");
        notes.as_array().is_some_and(|notes| notes.iter().any(|note| note["content"] == content))
    }
}

#[test]
fn robot_and_cloud_show_one_memory() {
    let folder = TempDir::new().unwrap();
    let data = folder.path();
    let mut tryout = start(data);
    let (robot, cloud) = (Side::of(&tryout, data, "robot"), Side::of(&tryout, data, "cloud"));
    robot.write_note("written on the robot");
    eventually("the cloud shows the robot's note", || cloud.has_note("written on the robot"));
    cloud.write_note("written in the cloud");
    eventually("the robot shows the cloud's note", || robot.has_note("written in the cloud"));

    let wish = |wish: &str| {
        assert!(robbie_tryout().args(["cloud", wish, "--data"]).arg(data).status().unwrap().success());
    };
    wish("off");
    tryout.running.hear("The cloud is off");
    for number in 0..100 {
        robot.write_note(&format!("alone {number}"));
    }
    wish("on");
    tryout.running.hear("The cloud is on again");
    eventually("what the robot wrote alone arrives", || cloud.has_note("alone 99"));
    tryout.end("INT");

    // Again, on other ports: nothing is paired anew, everything is there.
    let tryout = start(data);
    let (robot, cloud) = (Side::of(&tryout, data, "robot"), Side::of(&tryout, data, "cloud"));
    assert!(cloud.has_note("alone 99") && robot.has_note("alone 99"));
    cloud.write_note("after the restart");
    eventually("they are still paired", || robot.has_note("after the restart"));
    let said = tryout.end("TERM");
    assert!(!said.contains("pairing"), "{said}");
}
