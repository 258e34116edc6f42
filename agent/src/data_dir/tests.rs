use std::fs;

use super::*;

fn resolved(flag: Option<&str>, variables: &[(&str, &str)]) -> Option<String> {
    let environment = variables.iter().copied().collect();
    resolve(flag.map(Path::new), &environment).ok().map(|path| path.display().to_string())
}

#[test]
fn folder_comes_from_flag_then_variable_then_service_then_home() {
    // The order of the contract: --data, ROBBIE_DATA, $STATE_DIRECTORY, ~/.local/share/robbie.
    let all = [("ROBBIE_DATA", "/env"), ("STATE_DIRECTORY", "/state:/other"), ("HOME", "/home/a")];
    assert_eq!(resolved(Some("/flag"), &all).as_deref(), Some("/flag"));
    assert_eq!(resolved(None, &all).as_deref(), Some("/env"));
    assert_eq!(resolved(None, &all[1..]).as_deref(), Some("/state"));
    assert_eq!(resolved(None, &all[2..]).as_deref(), Some("/home/a/.local/share/robbie"));
    assert_eq!(resolved(None, &[("HOME", "")]), None);
}

#[test]
fn second_agent_is_refused_by_name_until_the_first_ends() {
    // Two agents in one folder would both own the latch file.
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("robbie");
    let first = DataDir::open(&root).unwrap();
    let refused = DataDir::open(&root).unwrap_err().to_string();
    assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
    assert!(refused.contains(root.to_str().unwrap()), "{refused}");
    assert_eq!(holder_of(first.paths()), Some(format!("process {}", std::process::id())));
    drop(first);
    let second = DataDir::open(&root).unwrap();
    let paths = second.paths().clone();
    drop(second);
    assert_eq!(holder_of(&paths), None);
}

#[test]
fn folder_and_its_files_are_only_for_their_owner() {
    // Tokens and keys lie here.
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("deep/robbie");
    let dir = DataDir::open(&root).unwrap();
    dir.announce(&RunFile { pid: 1, url: "http://127.0.0.1:8700".into(), fingerprint: None }).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&root), 0o700);
    assert_eq!(mode(&root.join("agent.json")), 0o600);
    assert_eq!(mode(&root.join("agent.lock")), 0o600);
}

#[test]
fn commands_find_the_agent_while_it_runs_and_not_after_it() {
    // A note left by a crash must not lead anyone to a dead or foreign process.
    let folder = tempfile::tempdir().unwrap();
    let paths = DataPaths::new(folder.path());
    let run = RunFile { pid: 7, url: "https://127.0.0.1:8700".into(), fingerprint: Some("AB".into()) };
    assert_eq!(run_note(&paths).unwrap(), None);
    let dir = DataDir::open(folder.path()).unwrap();
    dir.announce(&run).unwrap();
    assert_eq!(run_note(&paths).unwrap(), Some(run.clone()));
    dir.withdraw().unwrap();
    assert_eq!(run_note(&paths).unwrap(), None);
    dir.withdraw().unwrap();

    dir.announce(&run).unwrap();
    drop(dir);
    let _next = DataDir::open(folder.path()).unwrap();
    assert_eq!(run_note(&paths).unwrap(), None);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["agent.lock"], "no drafts stay behind");
}
