use std::path::Path;

use agent_core::profile::{RangeDirection, RangePolicy};

use super::*;

fn loaded(set: &[&str]) -> Result<Config, ConfigError> {
    load(&Sources { set: set.iter().map(|text| (*text).to_owned()).collect(), ..Sources::default() })
}

fn with_file(text: &str, sources: Sources) -> (tempfile::TempDir, Result<Config, ConfigError>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("robbie.toml");
    std::fs::write(&file, text).unwrap();
    let config = load(&Sources { file: Some(file), ..sources });
    (folder, config)
}

/// The error says all of these.
fn check_refused(config: Result<Config, ConfigError>, parts: &[&str]) {
    let error = config.expect_err("this configuration must be refused").to_string();
    for part in parts {
        assert!(error.contains(part), "{part} in\n{error}");
    }
}

#[test]
fn every_profile_loads_and_keeps_its_promise() {
    for (name, _) in PROFILES {
        let config = load(&Sources { profile: Some(name.to_owned()), ..Sources::default() }).unwrap();
        assert_eq!(config.profile_name(), name);
        let budget = Budget::check(&config.profile()).unwrap();
        assert!(budget.agent_dead_ms < budget.promise_ms, "{name}");
        assert_eq!(matches!(config.body(), BodyConfig::Sim { .. }), name == "sim", "{name}");
    }
    assert_eq!(PROFILES.map(|(name, _)| name), *PROFILE_NAMES, "every name that can be chosen has a text");
}

#[test]
fn default_is_the_simulated_robot_of_the_contract() {
    let config = loaded(&[]).unwrap();
    let profile = config.profile();
    assert_eq!((profile.linear_mps_max, profile.angular_radps_max), (0.6, 2.0));
    assert_eq!((profile.acceleration_mps2, profile.emergency_mps2), (1.0, 3.0));
    assert_eq!((profile.hold_ms, profile.standstill_promise_ms, profile.baud), (100, 1000, 921_600));
    let sensors = RangePolicy::Sensors([Some(RangeDirection::Front), Some(RangeDirection::Rear), None, None]);
    assert_eq!(profile.range, sensors);
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8700");
    assert_eq!((config.http.connections, config.http.connections_per_peer), (512, 64));
    assert_eq!((config.limits.motion_per_s, config.limits.write_burst), (100, 1000));
    assert_eq!(config.robot.id, "robbie");
}

#[test]
fn later_layer_wins() {
    // Profile, then file, then environment, then flags: the order of the contract.
    let key = "motion.linear_mps_max";
    let speed = |config: Result<Config, ConfigError>| config.unwrap().profile().linear_mps_max;
    let file = "profile = \"pi5\"\n[motion]\nlinear_mps_max = 0.4\n";
    assert_eq!(speed(with_file("profile = \"pi5\"", Sources::default()).1), 0.5);
    assert_eq!(speed(with_file(file, Sources::default()).1), 0.4);
    let environment: Environment =
        [("ROBBIE_MOTION__LINEAR_MPS_MAX", "0.3"), ("ROBBIE_DATA", "/d")].into_iter().collect();
    let with_variable = Sources { environment, ..Sources::default() };
    assert_eq!(speed(with_file(file, with_variable.clone()).1), 0.3);
    let with_flag = Sources { set: vec![format!("{key}=0.2"), format!("{key} = 0.25")], ..with_variable };
    let (_folder, config) = with_file(file, with_flag);
    let config = config.unwrap();
    assert_eq!(config.profile().linear_mps_max, 0.25);
    assert_eq!(config.settings.source(key).to_string(), "flag --set");
    assert_eq!(config.settings.source("motion.track_m").to_string(), "profile pi5");
    assert_eq!(config.settings.source("http.listen").to_string(), "default");
}

#[test]
fn error_names_source_key_and_range() {
    check_refused(
        loaded(&["motion.linear_mps_max=9"]),
        &["flag --set", "motion.linear_mps_max", "is 9.0", "from 0.05 to 3 m/s"],
    );
    check_refused(loaded(&["motion.linear_mps_max=NaN"]), &["motion.linear_mps_max", "from 0.05 to 3 m/s"]);
    check_refused(loaded(&["safety.hold_ms=fast"]), &["flag --set", "safety.hold_ms", "from 60 to 500 ms"]);
    check_refused(loaded(&["robot.id=My Robot"]), &["robot.id", "1 to 32 of a-z, 0-9 and -"]);
    check_refused(loaded(&["motion.linear_mps_max"]), &["--set", "must be KEY=VALUE"]);
    check_refused(
        load(&Sources { profile: Some("pi9".into()), ..Sources::default() }),
        &["flag --profile", "one of sim, pi5, pi4, jetson"],
    );
    check_refused(
        load(&Sources { listen: Some("8700".into()), ..Sources::default() }),
        &["flag --listen", "http.listen", "127.0.0.1:8700"],
    );
    let environment = [("ROBBIE_SAFETY__HOLD_MS", "1")].into_iter().collect();
    check_refused(
        load(&Sources { environment, ..Sources::default() }),
        &["variable ROBBIE_SAFETY__HOLD_MS", "from 60 to 500 ms"],
    );
    let (_folder, config) =
        with_file("[motion]\n\nlinear_mps_max = \"fast\"\ntrack_m = 0.1\n", Sources::default());
    check_refused(config, &["robbie.toml:3: motion.linear_mps_max", "from 0.05 to 3 m/s"]);
}

#[test]
fn what_a_chat_may_move_is_raised_in_the_file_alone() {
    // Whoever starts the agent may lower it; more than the default stands where only the owner writes.
    let distance_m = |config: Result<Config, ConfigError>| config.unwrap().profile().ai.distance_m;
    assert_eq!(distance_m(loaded(&[])), 2.0);
    assert_eq!(distance_m(loaded(&["ai.distance_m_max=0.5"])), 0.5);
    assert_eq!(distance_m(with_file("[ai]\ndistance_m_max = 3.0\n", Sources::default()).1), 3.0);
    check_refused(
        loaded(&["ai.distance_m_max=3"]),
        &["flag --set", "ai.distance_m_max", "configuration file"],
    );
    let environment = [("ROBBIE_AI__LINEAR_MPS_MAX", "0.5")].into_iter().collect();
    check_refused(
        load(&Sources { environment, ..Sources::default() }),
        &["variable ROBBIE_AI__LINEAR_MPS_MAX", "configuration file"],
    );
}

#[test]
fn unknown_keys_are_refused_with_what_was_meant() {
    // A misspelt limit that is silently ignored is a limit that does not hold.
    check_refused(loaded(&["motion.linear_mps=0.1"]), &["no such key", "motion.linear_mps_max"]);
    check_refused(loaded(&["linear_mps_max=0.1"]), &["no such key", "motion.linear_mps_max"]);
    let (_folder, config) =
        with_file("[motoin]\nlinear_mps_max = 0.1\n[[body]]\nport = 1\n", Sources::default());
    check_refused(
        config,
        &["robbie.toml:2: motoin.linear_mps_max: no such key", "robbie.toml:3: body: no such key"],
    );
    let environment = [("ROBBIE_MOTION_SPEED", "1")].into_iter().collect();
    check_refused(
        load(&Sources { environment, ..Sources::default() }),
        &["variable ROBBIE_MOTION_SPEED", "no such key"],
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let config = loaded(&["safety.hold_ms=1", "motion.track_m=99", "nonsense=1"]);
    check_refused(config, &["safety.hold_ms", "motion.track_m", "nonsense"]);
}

#[test]
fn broken_or_absent_file_is_said_with_its_place() {
    check_refused(with_file("[motion]\nlinear_mps_max = = 1\n", Sources::default()).1, &["robbie.toml:2"]);
    let absent = load(&Sources { file: Some("/nowhere/robbie.toml".into()), ..Sources::default() });
    check_refused(absent, &["/nowhere/robbie.toml"]);
}

#[test]
fn broken_promise_of_standing_still_does_not_start() {
    // 3 m/s with the emergency deceleration of the profile takes longer than the promised second.
    check_refused(loaded(&["motion.linear_mps_max=3"]), &["promise", "motion.emergency_mps2"]);
    check_refused(loaded(&["safety.standstill_promise_ms=300"]), &["promise"]);
    check_refused(loaded(&["safety.coast_ms=2000"]), &["promise"]);
    check_refused(loaded(&["motion.emergency_mps2=0.5"]), &["at least motion.acceleration_mps2"]);
    assert!(loaded(&["motion.linear_mps_max=1", "safety.standstill_promise_ms=2000"]).is_ok());
}

#[test]
fn driving_without_range_sensors_is_an_explicit_choice() {
    check_refused(loaded(&["safety.range=none"]), &["safety.linear_mps_max", "must be set", "m/s"]);
    check_refused(loaded(&["safety.range_sensors="]), &["safety.range = \"none\""]);
    check_refused(loaded(&["safety.range_sensors=unused,unused"]), &["must name a sensor"]);
    check_refused(loaded(&["safety.range_sensors=front,front,front,front,front"]), &["at most 4"]);
    let config = loaded(&["safety.range=none", "safety.linear_mps_max=0.2"]).unwrap();
    assert_eq!(config.profile().range, RangePolicy::None { linear_mps_max: 0.2 });
    let config = loaded(&["safety.range_sensors=unused, rear"]).unwrap();
    assert_eq!(config.profile().range, RangePolicy::Sensors([None, Some(RangeDirection::Rear), None, None]));
}

#[test]
fn nothing_talks_in_the_clear_beyond_this_machine() {
    // Tokens would be readable by anyone on the way.
    for listen in ["0.0.0.0:8700", "[::]:8700", "192.168.1.7:8700"] {
        let open = [format!("http.listen={listen}")];
        let open: Vec<&str> = open.iter().map(String::as_str).collect();
        check_refused(loaded(&open), &["http.listen", "--lan", "http.trusted_proxies", "http.certificate"]);
        let with = |more: &[&str]| loaded(&[&open, more].concat());
        assert!(with(&["http.lan=true"]).unwrap().http.serves_tls());
        assert!(with(&["http.certificate=/c.pem", "http.key=/k.pem"]).unwrap().http.serves_tls());
        assert!(!with(&["http.trusted_proxies=10.0.0.0/8, 10.1.1.1"]).unwrap().http.serves_tls());
    }
    check_refused(loaded(&["http.certificate=/c.pem"]), &["http.key", "must be set"]);
    check_refused(loaded(&["http.trusted_proxies=everyone"]), &["http.trusted_proxies", "10.0.0.0/8"]);
    assert_eq!(loaded(&["http.listen=[::1]:1"]).unwrap().http.listen.port(), 1);
}

#[test]
fn lan_listens_on_all_interfaces_with_the_same_port() {
    let config =
        load(&Sources { lan: true, listen: Some("127.0.0.1:9000".into()), ..Sources::default() }).unwrap();
    assert_eq!(config.http.listen.to_string(), "0.0.0.0:9000");
    let config =
        load(&Sources { lan: true, listen: Some("192.168.1.7:9000".into()), ..Sources::default() }).unwrap();
    assert_eq!(config.http.listen.to_string(), "192.168.1.7:9000", "a chosen interface stays chosen");
}

#[test]
fn serial_body_needs_its_port() {
    check_refused(loaded(&["body.driver=serial"]), &["body.port", "must be set", "/dev/serial/by-id"]);
    let config = loaded(&["body.driver=serial", "body.port=/dev/ttyACM0"]).unwrap();
    assert_eq!(*config.body(), BodyConfig::Serial { port: "/dev/ttyACM0".into() });
}

#[test]
fn what_is_shown_configures_the_same_again() {
    let first =
        loaded(&["motion.linear_mps_max=0.4", "http.hosts=robot.example, r2", "body.sim_seed=7"]).unwrap();
    let text = show(&first.settings);
    assert!(text.contains("linear_mps_max = 0.4") && text.contains("flag --set"), "{text}");
    let (_folder, again) = with_file(&text, Sources::default());
    let again = again.unwrap();
    assert_eq!(
        (again.drive, again.http, again.limits, again.robot),
        (first.drive, first.http, first.limits, first.robot)
    );
}

#[test]
fn variables_of_the_cloud_and_of_commands_are_no_settings() {
    let environment =
        [("ROBBIE_CLOUD_DATA", "/c"), ("ROBBIE_TOKEN", "t"), ("ROBBIE_DATA", "/d"), ("PATH", "/bin")];
    let environment: Environment = environment.into_iter().collect();
    assert!(load(&Sources { environment: environment.clone(), ..Sources::default() }).is_ok());
    assert_eq!(environment.path("ROBBIE_DATA").as_deref(), Some(Path::new("/d")));
}
