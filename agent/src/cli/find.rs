//! Which agent a command means, which token it shows, and by what it knows the agent.
//!
//! The owner's token goes to the agent of its own folder on this machine, and nowhere else.

use std::io;
use std::path::PathBuf;

use super::args::ReachArgs;
use crate::config::Environment;
use crate::data_dir::{self, DataPaths, RunFile, SERVICE_DIR};
use crate::lan::Fingerprint;
use cloud_sync_api::failure::Failure;

/// Where an agent listens when nobody says otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:8700";
/// The same with `--lan`.
const DEFAULT_TLS_URL: &str = "https://127.0.0.1:8700";

/// An agent to talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// `scheme://host:port`, without a slash at the end.
    pub(super) url: String,
    /// What to show it; none: why there is none.
    pub(super) token: Result<String, String>,
    /// By what it is known.
    pub(super) trust: Trust,
}

/// By what the agent behind an `https` URL is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// By the authorities that this machine trusts.
    Authorities,
    /// By its own certificate.
    Pinned(Fingerprint),
    /// By nothing. Only for a stop to this machine, which shows no secret and asks for none.
    Nothing,
}

/// The agent that a command means.
pub(super) fn target(reach: &ReachArgs, environment: &Environment) -> Result<Target, Failure> {
    let given_token = environment.get("ROBBIE_TOKEN").map(str::to_owned);
    let local = local(reach, environment);
    if let Some(text) = &reach.url {
        let (url, url_token) = split(text)?;
        let own = local.filter(|(_, run)| run.url == url);
        let pinned = reach.fingerprint.or_else(|| own.as_ref().and_then(|(_, run)| pin(run)));
        let token = url_token.or(given_token).map_or_else(
            || match &own {
                Some((paths, _)) => owner_token(paths),
                None => Err(format!(
                    "give a token for {url}: in ROBBIE_TOKEN, or paste the whole URL with ?token=..."
                )),
            },
            Ok,
        );
        return Ok(Target { url, token, trust: pinned.map_or(Trust::Authorities, Trust::Pinned) });
    }
    if let Some((paths, run)) = local {
        let pinned = reach.fingerprint.or_else(|| pin(&run));
        let token = given_token.map_or_else(|| owner_token(&paths), Ok);
        return Ok(Target { url: run.url, token, trust: pinned.map_or(Trust::Authorities, Trust::Pinned) });
    }
    let token = given_token.ok_or_else(|| {
        "no agent runs in a data folder that you can read: start one with `robbie-agent run`; for an agent of another \
         user or of the system use sudo, or give --url and ROBBIE_TOKEN"
            .to_owned()
    });
    Ok(Target { url: DEFAULT_URL.to_owned(), token, trust: Trust::Authorities })
}

/// The agents that a stop goes to, one after the other until one answers. Never fails but for a wrong `--url`: neither a
/// folder that cannot be read nor a missing token keeps anyone from stopping.
pub(super) fn to_stop(reach: &ReachArgs, environment: &Environment) -> Result<Vec<Target>, Failure> {
    let unknown = |url: &str, trust| Target { url: url.to_owned(), token: Err(String::new()), trust };
    if let Some(text) = &reach.url {
        let (url, token) = split(text)?;
        let mut target = target(reach, environment)?;
        if target.trust == Trust::Authorities && is_loopback(&url) {
            target.trust = Trust::Nothing;
        }
        target.token = token.ok_or_else(String::new);
        return Ok(vec![target]);
    }
    let mut targets = Vec::new();
    if let Some((_, run)) = local(reach, environment) {
        targets.push(unknown(&run.url, pin(&run).map_or(Trust::Nothing, Trust::Pinned)));
    }
    targets.push(unknown(DEFAULT_URL, Trust::Nothing));
    targets.push(unknown(DEFAULT_TLS_URL, Trust::Nothing));
    Ok(targets)
}

/// The agent that runs on this machine: of the folder that was named, else of the person's own or the system's.
fn local(reach: &ReachArgs, environment: &Environment) -> Option<(DataPaths, RunFile)> {
    let named = data_dir::resolve(reach.data.data.as_deref(), environment).ok();
    let service = reach.data.data.is_none().then(|| PathBuf::from(SERVICE_DIR));
    named.into_iter().chain(service).map(DataPaths::new).find_map(|paths| {
        let run = data_dir::run_note(&paths).ok().flatten()?;
        Some((paths, run))
    })
}

fn pin(run: &RunFile) -> Option<Fingerprint> {
    run.fingerprint.as_ref()?.parse().ok()
}

fn owner_token(paths: &DataPaths) -> Result<String, String> {
    let path = paths.owner_token();
    match std::fs::read_to_string(&path) {
        Ok(token) => Ok(token.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(format!("you may not read {}: use sudo, or set ROBBIE_TOKEN", path.display()))
        }
        Err(error) => Err(format!("cannot read {}: {error}; set ROBBIE_TOKEN instead", path.display())),
    }
}

/// Takes a pasted URL apart: its base, and the token in it.
fn split(text: &str) -> Result<(String, Option<String>), Failure> {
    let wrong =
        || Failure::Usage(format!("--url: \"{text}\" must be a URL such as https://192.168.1.7:8700"));
    let url = reqwest::Url::parse(text).map_err(|_not_a_url| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong());
    }
    let token = url.query_pairs().find(|(name, _)| name == "token").map(|(_, token)| token.into_owned());
    Ok((url.origin().ascii_serialization(), token))
}

fn is_loopback(url: &str) -> bool {
    let host =
        reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::DataArgs;
    use crate::data_dir::DataDir;

    const PRINT: &str = "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF";

    fn reach(url: Option<&str>, data: &std::path::Path) -> ReachArgs {
        let data = DataArgs { data: Some(data.to_owned()) };
        ReachArgs { url: url.map(str::to_owned), fingerprint: None, data }
    }

    fn running(folder: &std::path::Path) -> DataDir {
        let dir = DataDir::open(folder).unwrap();
        let url = "https://127.0.0.1:8800".to_owned();
        dir.announce(&RunFile { pid: 1, url, fingerprint: Some(PRINT.into()) }).unwrap();
        std::fs::write(dir.paths().owner_token(), "rb_owner\n").unwrap();
        dir
    }

    #[test]
    fn local_agent_is_found_with_its_token_and_certificate() {
        // Nothing has to be typed beside a running agent.
        let folder = tempfile::tempdir().unwrap();
        let _agent = running(folder.path());
        let found = target(&reach(None, folder.path()), &Environment::default()).unwrap();
        assert_eq!(found.url, "https://127.0.0.1:8800");
        assert_eq!(found.token.as_deref(), Ok("rb_owner"));
        assert_eq!(found.trust, Trust::Pinned(PRINT.parse().unwrap()));
    }

    #[test]
    fn owner_token_goes_to_its_own_agent_only() {
        // A mistyped or foreign URL must not collect the owner's secret.
        let folder = tempfile::tempdir().unwrap();
        let _agent = running(folder.path());
        let none = Environment::default();
        for foreign in ["http://192.168.1.9:8700", "http://127.0.0.1:8800", "https://127.0.0.1:8801"] {
            let found = target(&reach(Some(foreign), folder.path()), &none).unwrap();
            assert!(found.token.is_err(), "{foreign}");
            assert_eq!(found.trust, Trust::Authorities, "{foreign}");
        }
        let own = target(&reach(Some("https://127.0.0.1:8800/"), folder.path()), &none).unwrap();
        assert_eq!(own.token.as_deref(), Ok("rb_owner"));
        let pasted = target(&reach(Some("http://10.0.0.9:8700/?token=abc"), folder.path()), &none).unwrap();
        assert_eq!((pasted.url.as_str(), pasted.token.as_deref()), ("http://10.0.0.9:8700", Ok("abc")));
        let variable = [("ROBBIE_TOKEN", "env")].into_iter().collect();
        let found = target(&reach(Some("http://10.0.0.9:8700"), folder.path()), &variable).unwrap();
        assert_eq!(found.token.as_deref(), Ok("env"));
    }

    #[test]
    fn stop_needs_no_folder_and_no_token() {
        // Whoever is near may stop, also as another user than the agent's.
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("unreadable");
        let targets = to_stop(&reach(None, &nowhere), &Environment::default()).unwrap();
        let urls: Vec<&str> = targets.iter().map(|target| target.url.as_str()).collect();
        assert_eq!(urls, [DEFAULT_URL, DEFAULT_TLS_URL]);

        let _agent = running(folder.path());
        let targets = to_stop(&reach(None, folder.path()), &Environment::default()).unwrap();
        assert_eq!(targets[0].url, "https://127.0.0.1:8800");
        assert_eq!(targets.len(), 3);
        let remote =
            to_stop(&reach(Some("https://10.0.0.9:8700"), folder.path()), &Environment::default()).unwrap();
        assert_eq!(remote[0].trust, Trust::Authorities, "a certificate is only waived on this machine");
    }

    #[test]
    fn wrong_url_is_a_usage_error() {
        let folder = tempfile::tempdir().unwrap();
        for wrong in ["", "robot", "ftp://robot", "http://", "127.0.0.1:8700"] {
            let failure = target(&reach(Some(wrong), folder.path()), &Environment::default()).unwrap_err();
            assert!(matches!(failure, Failure::Usage(_)), "{wrong}");
        }
    }
}
