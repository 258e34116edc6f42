//! A key goes to its provider and nowhere else.

use futures_util::StreamExt;
use models_mind::tier::ChatTier;
use models_providers::{BadProvider, Kind, Provider, ProviderConfig, Secret};
use models_twin::{Change, Faulty};

use crate::support::{KEY, ask, pair, provider, question, short, traced, twin};

#[tokio::test]
async fn each_provider_is_sent_the_key_as_it_wants_it() {
    for kind in Kind::ALL {
        let (twin, provider) = pair(kind).await;
        twin.change(Change { key: Some(KEY.to_owned()), ..Change::default() }).await;
        assert!(short(&ask(&provider, "Hello").await).ends_with("Stop 1/4"), "{kind:?}");
        assert!(twin.last().unwrap().key_was_right);
        twin.change(Change { key: Some("another".to_owned()), ..Change::default() }).await;
        assert_eq!(short(&ask(&provider, "Hello").await), "Unauthorized", "{kind:?}");
        assert!(!twin.last().unwrap().key_was_right);
    }
}

#[tokio::test]
async fn no_key_is_in_any_message_however_a_provider_repeats_it() {
    let lines = traced();
    let mut shown = String::new();
    for kind in Kind::ALL {
        let (twin, provider) = pair(kind).await;
        let status = |status| Faulty::Status { status, retry_after: None, retry_after_ms: None };
        let faults = [status(400), status(401), status(429), status(500), Faulty::InBand { after: 1 }];
        for fault in faults {
            twin.fault(Some(fault.into())).await;
            let found = ask(&provider, "Hello").await;
            shown += &format!("{found:?}\n");
            let failure = found.last().unwrap().as_ref().unwrap_err();
            shown += &format!("{failure}\n");
            assert!(failure.detail.starts_with(kind.name()) && failure.detail.len() <= 300, "{failure}");
        }
        shown += &format!("{provider:?} {provider:#?}\n");
        let secret = Secret::new(KEY);
        let model = "stand-in".to_owned();
        let config = ProviderConfig { kind, base_url: twin.url(), key: Some(secret.clone()), model };
        shown += &format!("{secret:?} {secret} {config:?}\n");
    }
    shown += &String::from_utf8_lossy(&lines.lock().unwrap());
    assert!(shown.contains("asked with the key ****"), "the provider's own words are there: {shown}");
    for piece in KEY.as_bytes().windows(6) {
        let piece = std::str::from_utf8(piece).unwrap();
        assert!(!shown.contains(piece), "{piece} in {shown}");
    }
}

fn set_up(kind: Kind, base_url: &str, key: Option<&str>, model: &str) -> Result<Provider, BadProvider> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let (base_url, key, model) = (base_url.to_owned(), key.map(Secret::new), model.to_owned());
    Provider::new(ProviderConfig { kind, base_url, key, model })
}

#[test]
fn what_cannot_be_asked_is_refused_when_it_is_set_up() {
    for kind in Kind::ALL {
        let url = kind.default_base_url();
        assert!(set_up(kind, url, Some(KEY), kind.default_model()).is_ok());
        assert!(set_up(kind, url, Some(" padded-key\n"), "m").is_ok());
        assert!(set_up(kind, "http://localhost:1", None, "m").is_ok());
        for bad in [
            "",
            "localhost:80",
            "ftp://host/",
            "file:///x",
            "http://u:p@host/",
            "http://host/?key=1",
            "http://host/#a",
        ] {
            assert!(matches!(set_up(kind, bad, None, "m"), Err(BadProvider::BaseUrl(_))), "{bad}");
        }
        for bad in ["", "  ", "two words", "line\nbreak", "ключ"] {
            let found = set_up(kind, url, Some(bad), "m");
            assert!(matches!(found, Err(BadProvider::Key(_))), "{bad}");
        }
        for bad in ["", "two words", "a\n"] {
            assert!(matches!(set_up(kind, url, None, bad), Err(BadProvider::Model(_))), "{bad}");
        }
    }
    for bad in ["../../secrets", "a?b", "a#b", "a:generate", "/x", "a//b"] {
        let found = set_up(Kind::Gemini, "http://host/", None, bad);
        assert!(matches!(found, Err(BadProvider::Model(_))), "{bad}");
    }
}

#[tokio::test]
async fn a_base_url_is_taken_with_and_without_its_last_slash() {
    for kind in Kind::ALL {
        let twin = twin(kind).await;
        let provider = provider(kind, twin.url().trim_end_matches('/'));
        let answer: Vec<_> = provider.ask(question("Are you there?")).collect().await;
        let said = short(&answer).replace('|', "");
        assert!(said.contains("You said: Are you there?"), "{said}");
    }
}
