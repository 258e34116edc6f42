//! `robbie-tryout run`: database and broker are real, cloud and robot are stand-ins.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use crate::stand_in::{CLOUD_DOES_NOT_START, ROBOT_IGNORES_TERM, StandIns};
use crate::support::{Running, eventually, output, robbie_tryout, signal};

const PARTS: [&str; 4] = ["database", "broker", "cloud", "robot"];

/// A try-out with both ports chosen by the system.
fn command(data: &Path, programs: &StandIns) -> Command {
    let mut command = robbie_tryout();
    command
        .args(["run", "--cloud-listen", "127.0.0.1:0", "--robot-listen", "127.0.0.1:0", "--data"])
        .arg(data);
    command.arg("--programs").arg(programs.path()).process_group(0).stderr(Stdio::piped());
    command
}

pub(crate) struct Tryout {
    pub(crate) running: Running,
    /// What it wrote down for programs.
    pub(crate) note: Value,
}

impl Tryout {
    #[track_caller]
    pub(crate) fn start(mut command: Command, data: &Path) -> Self {
        // Free ports are looked for and then taken: another test may be quicker. That is said, and tried again.
        for tries_left in [2, 1, 0] {
            let mut running = Running::start(&mut command);
            match catch_unwind(AssertUnwindSafe(|| running.value("  broker"))) {
                Ok(_) => {
                    let note = fs::read(data.join("tryout.json")).unwrap();
                    return Self { running, note: serde_json::from_slice(&note).unwrap() };
                }
                Err(panic) if tries_left == 0 => resume_unwind(panic),
                Err(_) => eprintln!("started again; it had said: {}", running.said()),
            }
        }
        unreachable!("the last try returns or panics")
    }

    fn pid(&self, part: &str) -> u32 {
        self.note["processes"][part].as_u64().unwrap().try_into().unwrap()
    }

    /// Ends it with a signal, and gives what it said.
    #[track_caller]
    pub(crate) fn end(mut self, name: &str) -> String {
        self.running.signal(name);
        assert!(self.running.wait().success());
        self.check_nothing_is_left();
        self.running.said()
    }

    #[track_caller]
    fn check_nothing_is_left(&self) {
        for part in PARTS {
            eventually("every part ends", || !is_alive(self.pid(part)));
        }
    }
}

fn is_alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[test]
fn starts_everything_and_ends_it_in_order() {
    let (folder, programs) = (TempDir::new().unwrap(), StandIns::new());
    let data = folder.path().join("new");
    let mut command = command(&data, &programs);
    command.args(["--seed", "7"]);
    let tryout = Tryout::start(command, &data);

    let starts = programs.started();
    let names: Vec<&str> = starts.iter().map(|start| start["args"][0].as_str().unwrap()).collect();
    assert_eq!(names, ["run", "device", "pair", "run"]);
    assert_eq!(starts[0]["database_url"], tryout.note["database"]);
    assert!(starts[0]["database_url"].as_str().unwrap().ends_with("robbie.pool_max=1"));
    assert_eq!(starts[0]["mqtt_url"], tryout.note["broker"]);
    let seed = starts[3]["args"].as_array().unwrap().iter().any(|arg| arg == "body.sim_seed=7");
    assert!(seed, "{}", starts[3]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for (path, expected) in [("", 0o700), ("cloud", 0o700), ("tryout.json", 0o600), ("logs/cloud.log", 0o600)]
    {
        assert_eq!(mode(&data.join(path)), expected, "{path}");
    }

    let said = tryout.end("TERM");
    assert!(said.contains("Ending: robot, cloud, broker, database."), "{said}");
    assert!(!data.join("tryout.json").exists());
}

#[test]
fn prints_one_list_and_keeps_secrets_off_what_is_no_terminal() {
    for shows in [false, true] {
        let (data, programs) = (TempDir::new().unwrap(), StandIns::new());
        let mut command = command(data.path(), &programs);
        if shows {
            command.arg("--print-url");
        }
        let mut running = Running::start(&mut command);
        let robot = running.value("  robot");
        let cloud = running.value("  cloud");
        running.value("  database  postgresql://postgres@127.0.0.1:");
        running.value("  broker    mqtt://127.0.0.1:");
        running.value("What is written here survives a kill, but not a power cut");
        running
            .value("`robbie-tryout cloud off` lets the cloud crash, `cloud on` starts it again. Ctrl-C ends");
        if shows {
            assert!(robot.ends_with("/?token=the-owners-token"), "{robot}");
            assert!(cloud.ends_with("token the-owners-token"), "{cloud}");
        } else {
            assert!(robot.ends_with("robot/owner-token"), "{robot}");
            assert!(cloud.ends_with("cloud/owner-token"), "{cloud}");
        }
    }
}

#[test]
fn pairs_once_and_finds_a_cloud_that_moved() {
    let (data, programs) = (TempDir::new().unwrap(), StandIns::new());
    let paired = || -> Value {
        let file = fs::read(data.path().join("robot/cloud.json")).unwrap();
        serde_json::from_slice::<Value>(&file).unwrap()["paired"].take()
    };
    for _ in 0..2 {
        let tryout = Tryout::start(command(data.path(), &programs), data.path());
        assert_eq!(paired()["url"], tryout.note["cloud"]);
        assert_eq!(paired()["town"], "home", "what else is in the file stays");
        tryout.end("INT");
    }
    assert_eq!(programs.pairings(), 1);
    programs.forget_devices();
    let said = Tryout::start(command(data.path(), &programs), data.path()).end("TERM");
    assert!(said.contains("does not know the robot any more"), "{said}");
    assert_eq!(programs.pairings(), 2);
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let (data, programs) = (TempDir::new().unwrap(), StandIns::new());
    for round in 0..2_i64 {
        let tryout = Tryout::start(command(data.path(), &programs), data.path());
        let mut db = PgConnection::connect(tryout.note["database"].as_str().unwrap()).await.unwrap();
        sqlx::raw_sql("CREATE TABLE IF NOT EXISTS rows (id int)").execute(&mut db).await.unwrap();
        let there: i64 = sqlx::query_scalar("SELECT count(*) FROM rows").fetch_one(&mut db).await.unwrap();
        assert_eq!(there, round);
        sqlx::raw_sql("INSERT INTO rows VALUES (1)").execute(&mut db).await.unwrap();
        drop(db);
        tryout.end("TERM");
    }
}

#[test]
fn says_which_part_died_and_ends_the_others() {
    for part in PARTS {
        let (data, programs) = (TempDir::new().unwrap(), StandIns::new());
        let mut tryout = Tryout::start(command(data.path(), &programs), data.path());
        let pid = tryout.pid(part);
        signal(pid, "KILL");
        assert_eq!(tryout.running.wait().code(), Some(69));
        let said = tryout.running.said();
        assert!(said.contains(&format!("the {part} (")), "{said}");
        assert!(said.contains(&format!("process {pid}) ended by signal 9 (killed)")), "{said}");
        assert!(said.contains(&format!("logs/{part}.log")), "{said}");
        tryout.check_nothing_is_left();
    }
}

#[test]
fn the_cloud_can_be_taken_away_and_brought_back() {
    let (data, programs) = (TempDir::new().unwrap(), StandIns::new());
    let mut tryout = Tryout::start(command(data.path(), &programs), data.path());
    let (before, robot) = (tryout.pid("cloud"), tryout.pid("robot"));
    let cloud = |wish: &str| {
        let mut command = robbie_tryout();
        let asked = command.args(["cloud", wish, "--data"]).arg(data.path()).status().unwrap();
        assert!(asked.success());
    };
    cloud("off");
    tryout.running.hear("The cloud is off");
    assert!(!is_alive(before) && is_alive(robot));
    cloud("on");
    tryout.running.hear("The cloud is on again");
    let note = fs::read(data.path().join("tryout.json")).unwrap();
    tryout.note = serde_json::from_slice(&note).unwrap();
    assert!(is_alive(tryout.pid("cloud")) && tryout.pid("cloud") != before);
    let starts = programs.started();
    assert_eq!(starts[0]["args"], starts[4]["args"], "it starts as it did before");
    tryout.end("TERM");
    let mut late = robbie_tryout();
    check_refused(late.args(["cloud", "off", "--data"]).arg(data.path()), 69, &["no try-out runs in"]);
}

#[test]
fn a_part_that_does_not_start_is_quoted() {
    let (data, programs) = (TempDir::new().unwrap(), StandIns::with_fault(CLOUD_DOES_NOT_START));
    let ended = output(&mut command(data.path(), &programs));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(69), "{said}");
    assert!(
        said.contains("ended with exit code 78") && said.contains("the registry has no shelves"),
        "{said}"
    );
}

#[test]
fn no_part_outlives_a_try_out_that_is_killed() {
    let (data, programs) = (TempDir::new().unwrap(), StandIns::new());
    let mut tryout = Tryout::start(command(data.path(), &programs), data.path());
    tryout.running.kill();
    tryout.check_nothing_is_left();
    // And nothing that it left keeps the next one from starting.
    Tryout::start(command(data.path(), &programs), data.path()).end("TERM");
}

#[test]
fn a_second_signal_gives_no_more_time() {
    let (data, programs) = (TempDir::new().unwrap(), StandIns::with_fault(ROBOT_IGNORES_TERM));
    let mut tryout = Tryout::start(command(data.path(), &programs), data.path());
    tryout.running.signal("INT");
    tryout.running.hear("Ending");
    assert!(is_alive(tryout.pid("robot")) && is_alive(tryout.pid("database")));
    tryout.running.signal("INT");
    assert!(tryout.running.wait().success());
    tryout.check_nothing_is_left();
    let said = tryout.running.said();
    assert!(said.contains("the robot was given no more time: killed"), "{said}");
}

#[test]
fn the_terminals_ctrl_c_reaches_the_try_out_alone() {
    let (data, programs) = (TempDir::new().unwrap(), StandIns::new());
    let tryout = Tryout::start(command(data.path(), &programs), data.path());
    let group = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit(") ").next().unwrap().split(' ').nth(2).unwrap().to_owned()
    };
    let own = group(tryout.running.child.id());
    for part in PARTS {
        assert_ne!(group(tryout.pid(part)), own, "{part}");
    }
}

#[test]
fn names_the_one_that_uses_the_folder() {
    let (data, programs) = (TempDir::new().unwrap(), StandIns::new());
    let tryout = Tryout::start(command(data.path(), &programs), data.path());
    let pid = tryout.running.child.id();
    check_refused(
        &mut command(data.path(), &programs),
        69,
        &[&format!("another try-out (process {pid})"), "--data"],
    );
}

#[test]
fn says_which_flag_helps() {
    let (data, programs) = (TempDir::new().unwrap(), StandIns::new());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for flag in ["--database-listen", "--broker-listen"] {
        check_refused(command(data.path(), &programs).args([flag, &address]), 69, &[&address, flag]);
    }
    for flag in ["--cloud-listen", "--robot-listen"] {
        let mut command = robbie_tryout();
        command
            .args(["run", flag, &address, "--data"])
            .arg(data.path())
            .arg("--programs")
            .arg(programs.path());
        let other = if flag == "--cloud-listen" { "--robot-listen" } else { "--cloud-listen" };
        check_refused(command.args([other, "127.0.0.1:0"]), 69, &[&address, flag]);
    }
    check_refused(
        command(data.path(), &programs).args(["--database-listen", "0.0.0.0:0"]),
        64,
        &["loopback"],
    );
    programs.remove("robbie-cloud");
    let build = "cargo build --package cloud-sync --bin robbie-cloud";
    check_refused(&mut command(data.path(), &programs), 78, &[build, "--programs"]);
}

#[track_caller]
fn check_refused(command: &mut Command, code: i32, why: &[&str]) {
    let ended = output(command);
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(code), "{said}");
    for why in why {
        assert!(said.contains(why), "{said}");
    }
}
