//! Stands in for `robbie-cloud` and `robbie-agent`: real processes that answer what a try-out asks them.
//!
//! They are this test program again, started by a script of the right name. What each was started with goes to a file.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const PLAYS: &str = "ROBBIE_STAND_IN";
const FOLDER: &str = "ROBBIE_STAND_IN_FOLDER";
const FAULT: &str = "ROBBIE_STAND_IN_FAULT";
const ARGS: &str = "ROBBIE_STAND_IN_ARGS";
const CODE: &str = "ABCD2345";

/// What goes wrong.
pub(crate) const CLOUD_DOES_NOT_START: &str = "cloud does not start";
pub(crate) const ROBOT_IGNORES_TERM: &str = "robot ignores TERM";

/// A folder with both programs, and what they were started with.
pub(crate) struct StandIns {
    folder: tempfile::TempDir,
}

impl StandIns {
    pub(crate) fn new() -> Self {
        let stand_ins = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["robbie-cloud", "robbie-agent"] {
            stand_ins.add(name, "");
        }
        stand_ins
    }

    pub(crate) fn with_fault(fault: &str) -> Self {
        let stand_ins = Self::new();
        fs::write(stand_ins.path().join("fault"), fault).unwrap();
        if fault == ROBOT_IGNORES_TERM {
            // What a shell ignores stays ignored in the program that it becomes.
            stand_ins.add("robbie-agent", "trap '' TERM");
        }
        stand_ins
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.path().join(name)).unwrap();
    }

    /// What was started, oldest first: `{name, args, database_url, mqtt_url}`.
    pub(crate) fn started(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path().join("started")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// How often the robot was paired.
    pub(crate) fn pairings(&self) -> usize {
        self.started().iter().filter(|start| start["args"][0] == "pair").count()
    }

    /// The cloud forgets every robot.
    pub(crate) fn forget_devices(&self) {
        fs::remove_file(self.path().join("secret")).unwrap();
    }

    fn add(&self, name: &str, before: &str) {
        let path = self.path().join(name);
        let program = std::env::current_exe().unwrap();
        // A real program prints a pairing code alone; this one has its harness say hello first.
        let script = format!(
            "#!/bin/sh\n\
             export {PLAYS}={name} {FOLDER}='{folder}' {FAULT}=\"$(cat '{folder}/fault' 2>/dev/null)\" {ARGS}=\"$*\"\n\
             play() {{ exec '{program}' stand_in::plays_its_part --exact --nocapture; }}\n\
             {before}\n\
             if [ \"$1\" = device ]; then (play) > /dev/null && echo {CODE}; else play; fi\n",
            folder = self.path().display(),
            program = program.display()
        );
        // A shell writes it: a process that another test forks meanwhile would inherit our descriptor, and nobody may run a
        // file that is open for writing.
        let mut shell = Command::new("/bin/sh")
            .args(["-c", "rm -f \"$0\" && cat > \"$0\" && chmod 755 \"$0\""])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
    }
}

/// Does nothing, unless this process is a stand-in: then it never returns.
#[test]
fn plays_its_part() {
    let said = |name| std::env::var_os(name).map(|value| value.into_string().unwrap());
    let (Some(name), Some(folder)) = (said(PLAYS), said(FOLDER)) else { return };
    let args: Vec<String> = said(ARGS).unwrap().split(' ').map(str::to_owned).collect();
    let folder = PathBuf::from(folder);
    note(
        &folder,
        &json!({"name": name, "args": args, "database_url": said("DATABASE_URL"), "mqtt_url": said("MQTT_URL")}),
    );
    if said(FAULT).as_deref() == Some(CLOUD_DOES_NOT_START) && name == "robbie-cloud" {
        eprintln!("the registry has no shelves");
        std::process::exit(78);
    }
    match (name.as_str(), args[0].as_str()) {
        ("robbie-cloud", "device") => check_owner(),
        ("robbie-agent", "pair") => pair(&folder, &args),
        (_, "run") => serve(&folder, &args),
        other => panic!("{other:?}"),
    }
    std::process::exit(0);
}

fn note(folder: &Path, start: &Value) {
    let mut file = OpenOptions::new().append(true).create(true).open(folder.join("started")).unwrap();
    writeln!(file, "{start}").unwrap();
}

/// The script prints the code.
fn check_owner() {
    let data = std::env::var_os("ROBBIE_CLOUD_DATA").unwrap();
    assert!(Path::new(&data).join("owner-token").exists(), "the owner's token lies in the cloud's folder");
}

fn pair(folder: &Path, args: &[String]) {
    assert_eq!(args[1], CODE);
    let secret = format!("secret-{}", std::process::id());
    fs::write(folder.join("secret"), &secret).unwrap();
    let pairing = json!({"url": value(args, "--cloud"), "town": "home", "robot": "r1", "secret": secret});
    let paired = json!({ "paired": pairing });
    let path = Path::new(value(args, "--data")).join("cloud.json");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    write!(file, "{paired}").unwrap();
}

/// Answers `/health`, and `/api/devices/me` to whoever has the last secret.
fn serve(folder: &Path, args: &[String]) {
    fs::write(Path::new(value(args, "--data")).join("owner-token"), "the-owners-token\n").unwrap();
    let listener = TcpListener::bind(value(args, "--listen")).unwrap();
    for (count, client) in listener.incoming().enumerate() {
        let client = client.unwrap();
        let mut lines = BufReader::new(&client).lines().map_while(Result::ok);
        let Some(request) = lines.next() else { continue };
        let bearer = lines
            .take_while(|line| !line.is_empty())
            .find_map(|line| line.to_lowercase().strip_prefix("authorization: bearer ").map(str::to_owned));
        let secret = fs::read_to_string(folder.join("secret")).ok();
        let status = match request.split(' ').nth(1) {
            // Still starting when it is asked for the first time.
            Some("/health") if count == 0 => "503 Service Unavailable",
            Some("/health") => "200 OK",
            Some("/api/devices/me") if bearer.is_some() && bearer == secret => "200 OK",
            Some("/api/devices/me") => "401 Unauthorized",
            _ => "404 Not Found",
        };
        answer(client, status);
    }
}

fn answer(mut client: TcpStream, status: &str) {
    // Whoever asked may have gone.
    write!(client, "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}").ok();
}

fn value<'a>(args: &'a [String], flag: &str) -> &'a str {
    let at = args.iter().position(|arg| arg == flag).unwrap();
    &args[at + 1]
}
