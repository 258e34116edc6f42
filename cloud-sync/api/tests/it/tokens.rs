//! Tokens as a client meets them: header, cookie, subprotocol, revocation, TLS.

use std::sync::Arc;

use agent_core::caller::Class;
use cloud_sync_api::scope::Scope;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{DEADLINE, Reply, Setup, bearer, head, start};

#[tokio::test]
async fn a_revoked_token_is_refused_and_announced() {
    // After revocation the next request is 401, and whoever holds a socket for it hears the number.
    let running = start(Setup::default()).await;
    let token = bearer(&running.token(&[Scope::Read], Class::Remote));
    let headers = [("authorization", token.as_str())];
    let reply = running.ask("GET", "/api/robot/state", &headers, b"").await;
    assert_eq!((reply.status, reply.json()["user"].as_str()), (200, Some("ann")));
    let mut revocations = running.tokens.tokens.revocations();
    let name = running.file.list().unwrap().pop().unwrap().name;
    running.file.revoke(&name).unwrap();
    running.tokens.refresh().unwrap();
    running.ask("GET", "/api/robot/state", &headers, b"").await.is_problem(401, "no-token");
    assert!(revocations.try_recv().is_ok());
}

#[tokio::test]
async fn the_ready_url_logs_a_browser_in() {
    // GET /?token= sets a cookie that scripts cannot read and other sites cannot use, and leads away from the token.
    let running = start(Setup { trusted: &["127.0.0.9"], ..Setup::default() }).await;
    let owner = running.owner();
    let path = format!("/?token={owner}");
    let reply = running.ask("GET", &path, &[], b"").await;
    assert_eq!((reply.status, reply.header("location")), (303, Some("/")));
    let cookie = reply.header("set-cookie").unwrap().to_owned();
    assert!(
        cookie.contains("httponly") && cookie.contains("samesite=strict") && !cookie.contains("secure"),
        "{cookie}"
    );
    let pair = cookie.split(';').next().unwrap();
    assert_eq!(running.ask("GET", "/api/robot/state", &[("cookie", pair)], b"").await.status, 200);

    let https = ("x-forwarded-proto", "https");
    let reply = running.ask_from([127, 0, 0, 9].into(), "GET", &path, &[https], b"").await;
    assert!(reply.header("set-cookie").unwrap().contains("; secure"));
    running.ask("GET", "/?token=rb_wrong", &[], b"").await.is_problem(401, "no-token");
    running.ask("GET", &path, &[("host", "evil.example")], b"").await.is_problem(403, "no-right");
    let page = running.ask("GET", "/", &[], b"").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").unwrap().contains("script-src 'self'"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
}

#[tokio::test]
async fn a_websocket_may_carry_its_token_as_subprotocol() {
    // Browsers cannot set headers there.
    let running = start(Setup::default()).await;
    let protocols = format!("robbie, robbie.token.{}", running.owner());
    let headers = [("sec-websocket-protocol", protocols.as_str())];
    assert_eq!(running.ask("GET", "/api/robot/state", &headers, b"").await.status, 200);
}

#[tokio::test]
async fn tls_serves_the_same_and_marks_the_cookie() {
    // Over TLS the cookie is Secure; a client that speaks no TLS gets no answer and blocks nobody.
    let running = start(Setup { is_tls: true, ..Setup::default() }).await;
    let plain = running.connect().await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(running.dir.path().join("certificate.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, running.connect().await).await.unwrap();
    let path = format!("/?token={}", running.owner());
    stream.write_all(&head("GET", &path, &[("connection", "close")], 0)).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    let reply = Reply::parse(&answer);
    assert_eq!(reply.status, 303);
    assert!(reply.header("set-cookie").unwrap().contains("; secure"));
    drop(plain);
}
