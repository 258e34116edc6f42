//! Starts `robbie-tryout` and reads what it prints. Every wait has an end.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Far longer than anything takes, on a machine that is busy with other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// `robbie-tryout`, built by cargo for this test.
pub(crate) fn robbie_tryout() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_robbie-tryout"));
    command.env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn output(command: &mut Command) -> Output {
    command.output().unwrap()
}

/// One that goes on. Dropped, it is killed.
pub(crate) struct Running {
    pub(crate) child: Child,
    lines: Receiver<String>,
    /// What it says on standard error, where that is a pipe.
    said: Receiver<String>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = read(child.stdout.take());
        let said = read(child.stderr.take());
        Self { child, lines, said }
    }

    /// `database --data folder`, ready, and its URL.
    pub(crate) fn database(folder: &Path) -> (Self, String) {
        let mut running = Self::start(robbie_tryout().arg("database").arg("--data").arg(folder));
        let url = running.value("DATABASE_URL=");
        (running, url)
    }

    /// `broker`, ready, and its port.
    pub(crate) fn broker() -> (Self, u16) {
        let mut running = Self::start(robbie_tryout().arg("broker"));
        let url = running.value("MQTT_URL=mqtt://127.0.0.1:");
        (running, url.parse().unwrap())
    }

    /// Waits for a line that starts with `prefix`, and gives the rest of it.
    #[track_caller]
    pub(crate) fn value(&mut self, prefix: &str) -> String {
        wait_for(&self.lines, prefix)
    }

    /// The same on standard error.
    #[track_caller]
    pub(crate) fn hear(&mut self, prefix: &str) -> String {
        wait_for(&self.said, prefix)
    }

    /// Everything else it says on standard error until it closes that.
    pub(crate) fn said(&mut self) -> String {
        let mut text = String::new();
        while let Ok(line) = self.said.recv_timeout(PATIENCE) {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let mut ended = None;
        eventually("it ends", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Sends a signal such as `TERM` as a shell does.
#[track_caller]
pub(crate) fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status().unwrap();
    assert!(sent.success(), "{name} reaches {pid}");
}

#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "{what}: not within {} s", PATIENCE.as_secs());
        sleep(Duration::from_millis(10));
    }
}

fn read(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (line, lines) = channel();
    std::thread::spawn(move || {
        let Some(pipe) = pipe else { return };
        for text in BufReader::new(pipe).lines().map_while(Result::ok) {
            if line.send(text).is_err() {
                return;
            }
        }
    });
    lines
}

#[track_caller]
fn wait_for(lines: &Receiver<String>, prefix: &str) -> String {
    let until = Instant::now() + PATIENCE;
    let mut before = String::new();
    loop {
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => match line.strip_prefix(prefix) {
                Some(rest) => return rest.to_owned(),
                None => before = before + &line + "\n",
            },
            Err(RecvTimeoutError::Timeout) => panic!("no line with {prefix:?} after:\n{before}"),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("it ended without a line with {prefix:?}:\n{before}")
            }
        }
    }
}
