use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use agent_core::caller::label;
use agent_core::latch::{self, FILE_LEN, LatchRecord, SLOT_LEN};

use super::*;
use crate::sync::{CloudFile, Pairing};

const PI4: &str = "raspberry-pi-4";
const PI5: &str = "raspberry-pi-5";
const ORIN: &str = "jetson-orin-nano";

fn board(name: &str) -> Probe {
    Probe::at(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/boards").join(name))
}

fn question(folder: &Path, set: &[&str]) -> Question {
    // Port 0: these tests run beside others and beside a running agent.
    let set = set.iter().chain(&["http.listen=127.0.0.1:0"]).map(|text| (*text).to_owned()).collect();
    Question { sources: Sources { set, ..Sources::default() }, data: Some(folder.to_owned()) }
}

fn found(report: &Report, id: &str) -> Check {
    report
        .checks
        .iter()
        .find(|check| check.id == id)
        .unwrap_or_else(|| panic!("no {id} in\n{report}"))
        .clone()
}

fn check_is(check: &Check, status: Status, part: &str) {
    assert!(
        check.status == status && check.what.contains(part),
        "{check:?} is not {status:?} with \"{part}\""
    );
    assert_eq!(check.fix.is_some(), status != Status::Ok, "what is wrong comes with what helps: {check:?}");
}

fn check(name: &str, id: &str, status: Status, part: &str) {
    let folder = tempfile::tempdir().unwrap();
    check_is(&found(&examine(&board(name), &question(folder.path(), &[]), None), id), status, part);
}

#[test]
fn raspberry_pi_4_fresh_from_the_card() {
    // A weak supply, no clock, no rights, a camera without its tools.
    check(PI4, "board", Status::Ok, "Raspberry Pi 4 Model B");
    check(PI4, "system", Status::Ok, "bookworm");
    check(PI4, "profile", Status::Ok, "there is pi4");
    check(PI4, "throttling", Status::Fail, "under-voltage right now");
    check(PI4, "clock.wall", Status::Warn, "no battery clock");
    check(PI4, "realtime", Status::Warn, "SCHED_FIFO is not allowed");
    check(PI4, "cameras", Status::Warn, "unicam-image");
    check(PI4, "gpio", Status::Ok, "header on pinctrl-bcm2711");
    check(PI4, "sound", Status::Ok, "vc4hdmi0, Headphones");
    check(PI4, "serial.ports", Status::Warn, "ttyACM0 without a stable name");
    check(PI4, "serial.modem", Status::Warn, "ModemManager");
    check(PI4, "temperature", Status::Ok, "62 °C");
}

#[test]
fn raspberry_pi_5_set_up_well() {
    check(PI5, "gpio", Status::Ok, "header on pinctrl-rp1");
    check(PI5, "throttling", Status::Ok, "none");
    check(PI5, "clock.wall", Status::Ok, "time service");
    check(PI5, "realtime", Status::Ok, "SCHED_FIFO and locked memory");
    check(PI5, "cameras", Status::Ok, "through rpicam");
    check(PI5, "serial.ports", Status::Ok, "/dev/serial/by-id/usb-Raspberry_Pi_Pico_");
    let folder = tempfile::tempdir().unwrap();
    let report = examine(&board(PI5), &question(folder.path(), &[]), None);
    assert!(
        report.checks.iter().all(|check| check.id != "serial.modem"),
        "the udev rules keep ModemManager off"
    );
}

#[test]
fn jetson_orin_under_load() {
    check(ORIN, "board", Status::Ok, "Jetson Orin Nano");
    check(ORIN, "gpio", Status::Ok, "header on tegra234-gpio");
    check(ORIN, "temperature", Status::Warn, "84 °C (gpu-thermal)");
    check(ORIN, "throttling", Status::Warn, "4 times");
    check(ORIN, "cameras", Status::Ok, "nvarguscamerasrc");
    check(ORIN, "clock.wall", Status::Warn, "kept by rtc0 alone");
    check(ORIN, "realtime", Status::Warn, "SCHED_FIFO");
}

#[test]
fn profile_of_another_board_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let report = examine(&board(PI4), &question(folder.path(), &["profile=pi5"]), None);
    check_is(&found(&report, "profile"), Status::Warn, "pi5 is made for another board");
    assert!(found(&report, "profile").fix.unwrap().contains("--profile pi4"));
}

#[test]
fn unplugged_body_is_a_failure_that_names_what_is_plugged_in() {
    let folder = tempfile::tempdir().unwrap();
    let report = examine(&board(PI5), &question(folder.path(), &["profile=pi5"]), None);
    check_is(&found(&report, "serial.port"), Status::Fail, "/dev/robbie-body is not there");
    assert!(found(&report, "serial.port").fix.unwrap().contains("usb-Raspberry_Pi_Pico_"));
    assert_eq!((report.status(), report.exit_code()), (Status::Fail, 69));
}

#[test]
fn port_in_use_names_who_has_it() {
    // Two masters on one body would fight; the second one must learn who is the first.
    let root = tempfile::tempdir().unwrap();
    let port = root.path().join("dev/ttyUSB0");
    fs::create_dir_all(port.parent().unwrap()).unwrap();
    fs::write(&port, "").unwrap();
    let process = root.path().join("proc/77");
    fs::create_dir_all(process.join("fd")).unwrap();
    fs::write(process.join("comm"), "minicom\n").unwrap();
    symlink(port.canonicalize().unwrap(), process.join("fd/4")).unwrap();
    let probe = Probe::at(root.path());
    check_is(&devices::configured_port(&probe, "/dev/ttyUSB0", false), Status::Fail, "minicom (process 77)");
    check_is(&devices::configured_port(&probe, "/dev/ttyUSB0", true), Status::Warn, "number may change");
}

#[test]
fn gate_of_the_running_agent_counts_more_than_the_rights_of_who_asks() {
    // The service has its rights from its unit; the person who asks has others.
    let root = tempfile::tempdir().unwrap();
    let probe = Probe::at(root.path());
    let gate = root.path().join("proc/9/task/11");
    fs::create_dir_all(&gate).unwrap();
    fs::write(gate.join("comm"), "gate\n").unwrap();
    let with_policy = |policy: u32| {
        let before = vec!["0"; 37].join(" ");
        fs::write(gate.join("stat"), format!("11 (ga te) S {before} {policy} 0 0\n")).unwrap();
        system::real_time(&probe, Some(9))
    };
    check_is(&with_policy(1), Status::Ok, "the running agent has SCHED_FIFO");
    check_is(&with_policy(0), Status::Warn, "the running agent has no SCHED_FIFO");
    check_is(&system::real_time(&probe, None), Status::Warn, "for this user");
}

#[test]
fn wrong_configuration_is_78_and_everything_else_is_still_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let report = examine(&board(PI5), &question(folder.path(), &["safety.hold_ms=1"]), None);
    check_is(&found(&report, "config"), Status::Fail, "safety.hold_ms");
    assert_eq!(report.exit_code(), 78);
    check_is(&found(&report, "gpio"), Status::Ok, "pinctrl-rp1");
}

#[test]
fn driving_blind_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let report = examine(
        &board(PI5),
        &question(folder.path(), &["safety.range=none", "safety.linear_mps_max=0.2"]),
        None,
    );
    check_is(&found(&report, "safety.range"), Status::Warn, "at most 0.2 m/s");
    check_is(
        &found(&examine(&board(PI5), &question(folder.path(), &[]), None), "safety.range"),
        Status::Ok,
        "2 range sensors",
    );
}

#[test]
fn report_for_programs_keeps_its_shape() {
    let folder = tempfile::tempdir().unwrap();
    let report = examine(&board(PI4), &question(folder.path(), &[]), None);
    let value = report.to_json();
    assert_eq!((value["format"].as_u64(), value["status"].as_str()), (Some(1), Some("fail")));
    for check in value["checks"].as_array().unwrap() {
        assert!(check["id"].is_string() && check["what"].is_string(), "{check}");
        assert!(["ok", "warn", "fail"].contains(&check["status"].as_str().unwrap()), "{check}");
        assert!(check["fix"].is_null() == (check["status"] == "ok"), "{check}");
    }
}

fn check_filesystem(mount: &str, status: Status, part: &str) {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("proc/self")).unwrap();
    let lines = format!("24 1 179:2 / / rw - ext4 /dev/root rw\n{mount}\n");
    fs::write(root.path().join("proc/self/mountinfo"), lines).unwrap();
    let found = files::filesystem(&Probe::at(root.path()), Path::new("/data/robbie")).unwrap();
    check_is(&found, status, part);
}

#[test]
fn file_system_that_forgets_an_estop_is_said() {
    check_filesystem("", Status::Ok, "ext4 on /");
    check_filesystem(
        "30 24 8:1 / /data rw,noatime shared:1 - ext4 /dev/sda1 rw",
        Status::Ok,
        "ext4 on /data",
    );
    check_filesystem("30 24 8:1 / /dat rw - tmpfs tmpfs rw", Status::Ok, "ext4 on /");
    check_filesystem("30 24 0:26 / /data rw - tmpfs tmpfs rw", Status::Fail, "gone after a restart");
    check_filesystem("30 24 8:1 / /data ro,noatime - ext4 /dev/sda1 rw", Status::Fail, "read-only");
    check_filesystem("30 24 8:1 / /data rw - ext4 /dev/sda1 rw,data=writeback", Status::Warn, "power cut");
    check_filesystem("30 24 8:1 / /data rw - ext4 /dev/sda1 rw,barrier=0", Status::Warn, "power cut");
    check_filesystem("30 24 8:1 / /data rw - vfat /dev/sda1 rw", Status::Warn, "no journal");
}

#[test]
fn data_folder_shows_its_latch_its_tokens_and_its_agent() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("robbie");
    let look = |id: &str| found(&examine(&board(PI5), &question(&root, &[]), None), id);
    check_is(&look("data.folder"), Status::Ok, "will be made");
    check_is(&look("estop.latch"), Status::Ok, "no run yet");
    check_is(&look("agent"), Status::Ok, "does not run");
    assert!(!root.exists(), "looking makes nothing");

    let dir = data_dir::DataDir::open(&root).unwrap();
    check_is(&look("agent"), Status::Ok, &format!("process {}", std::process::id()));
    let record =
        LatchRecord { serial: 3, latched: true, epoch: 2, reason: label("cat"), source: label("Ann") };
    let mut bytes = [0; FILE_LEN];
    latch::first_file(&mut bytes);
    latch::encode(&record, bytes.split_at_mut(SLOT_LEN).0.try_into().unwrap());
    fs::write(dir.paths().latch(), bytes).unwrap();
    check_is(&look("estop.latch"), Status::Warn, "LATCHED, epoch 2: cat");
    fs::write(dir.paths().latch(), "torn").unwrap();
    check_is(&look("estop.latch"), Status::Warn, "torn");
    fs::write(dir.paths().tokens(), "{").unwrap();
    check_is(&look("tokens"), Status::Fail, "tokens.json");
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
    check_is(&look("data.folder"), Status::Warn, "mode 755");
}

#[test]
fn memory_is_shown_with_what_was_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("robbie");
    let look = || found(&examine(&board(PI5), &question(&root, &[]), None), "memory.file");
    check_is(&look(), Status::Ok, "made at the first start");
    assert!(!root.exists(), "looking makes nothing");

    fs::create_dir(&root).unwrap();
    let file = root.join("memory.db");
    fs::write(&file, [b"SQLite format 3\0".as_slice(), &[0; 2_000_000]].concat()).unwrap();
    check_is(&look(), Status::Ok, "memory.db, 2.0 MB");
    for name in ["memory.db.damaged-2026-11-24T17-20-00Z", "memory.db.damaged-2026-11-24T17-20-00Z-wal"] {
        fs::write(root.join(name), "").unwrap();
    }
    check_is(&look(), Status::Warn, "1 damaged before and set aside");
    fs::write(root.join("memory.db.suspect"), "").unwrap();
    check_is(&look(), Status::Warn, "damage was met");
    fs::write(&file, "something else").unwrap();
    check_is(&look(), Status::Warn, "does not begin as it should");
    assert_eq!(fs::read(&file).unwrap(), b"something else", "looking changes nothing");
}

#[test]
fn weights_that_are_not_there_come_with_the_command_that_fetches_them() {
    let folder = tempfile::tempdir().unwrap();
    let look = || found(&examine(&board(PI5), &question(folder.path(), &[]), None), "models.weights");
    check_is(&look(), Status::Warn, "minilm is not there");
    assert!(look().fix.unwrap().contains("models pull minilm"));
    let minilm = folder.path().join("models/minilm");
    fs::create_dir_all(&minilm).unwrap();
    fs::write(minilm.join("tokenizer.json"), "cut").unwrap();
    check_is(&look(), Status::Warn, "tokenizer.json has 3 bytes instead of 466247");
}

#[test]
fn address_in_use_is_a_failure() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let set = vec![format!("http.listen={}", taken.local_addr().unwrap())];
    let config = config::load(&Sources { set, ..Sources::default() }).unwrap();
    check_is(&agent::listening(&config, false), Status::Fail, "127.0.0.1");
    check_is(&agent::listening(&config, true), Status::Ok, "the agent has it");
}

#[test]
fn body_at_the_port_is_asked_who_it_is() {
    // A real pty with the real controller behind it; and one with nothing behind it.
    let body =
        firmware_bridge_sim::SimBody::start(&firmware_bridge_sim::BodyProfile::default(), 1, None).unwrap();
    let answered = handshake::ask(body.path().to_str().unwrap(), 921_600);
    check_is(&answered, Status::Ok, "protocol 1.");
    drop(body);
    check_is(&handshake::ask("/dev/null", 921_600), Status::Fail, "/dev/null");
}

#[test]
fn the_cloud_is_shown_without_its_secret() {
    let folder = tempfile::tempdir().unwrap();
    let look = || found(&examine(&board(PI5), &question(folder.path(), &[]), None), SYNC);
    check_is(&look(), Status::Ok, "belongs to no cloud");
    let paths = DataPaths::new(folder.path().to_owned());
    let pairing = Pairing {
        url: "https://cloud.example".to_owned(),
        town: "home".to_owned(),
        robot: "robbie".to_owned(),
        user_id: "ann".to_owned(),
        secret: "do-not-tell".to_owned(),
    };
    CloudFile::Paired(pairing).write(&paths.cloud()).unwrap();
    check_is(&look(), Status::Ok, "robbie of town home at https://cloud.example");
    assert!(!look().what.contains("do-not-tell"));
    CloudFile::Forget.write(&paths.cloud()).unwrap();
    check_is(&look(), Status::Warn, "forgotten");
    fs::write(paths.cloud(), "{").unwrap();
    check_is(&look(), Status::Fail, "damaged");
}
