//! Under which names the robot answers, to whom, and how a browser logs in.

use serde_json::{Value, json};

use crate::http_rig::{Ask, LEASES, Rig, STATE, VELOCITY, check_problem};
use crate::support::http::{Answer, Client};

#[test]
fn the_robot_answers_under_its_own_name_only() {
    // `/api/robots` lists it, its routes answer under its id with both slash forms, another id is no such route.
    Rig::with(&["robot.id=r2-d2"], |rig| {
        let robots = rig.get(rig.owner(), "/api/robots").expect(200).json();
        assert_eq!(
            (&robots[0]["id"], &robots[0]["online"], &robots[1]),
            (&json!("r2-d2"), &json!(true), &Value::Null)
        );
        let state = rig.get(rig.owner(), "/api/robots/r2-d2/state").expect(200).json();
        assert_eq!((&state["robot"], &state["seen"]["run"]), (&json!("r2-d2"), &robots[0]["run"]));
        rig.get(rig.owner(), "/api/robots/r2-d2/state/").expect(200);
        rig.get(rig.owner(), "/api/robots/").expect(200);
        let velocity = json!({"linear_mps": 0, "angular_radps": 0});
        rig.post(rig.owner(), "/api/robots/r2-d2/velocity", &velocity).expect(202);
        let problem = rig.post(rig.owner(), "/api/robots/r2-d2/velocity", &json!({"fly": 1}));
        check_problem(&problem, 400, "bad-request", "unknown fields are refused there, too");
        let hz = rig.get(rig.owner(), "/api/robots/r2-d2/stream?hz=0");
        check_problem(&hz, 422, "out-of-range", "the query comes along");
        check_problem(&rig.get("rb_wrong", "/api/robots/r2-d2/state"), 401, "no-token", "without a token");
        for path in [
            "/api/robots/robbie/state",
            "/api/robots/r2-d2",
            "/api/robots/r2-d2x/state",
            "/api/robots/R2-D2/state",
        ] {
            check_problem(&rig.get(rig.owner(), path), 404, "not-found", path);
        }
        Ask::new("POST", "/api/robots/r2-d2/stop").send(rig).expect(200);
        assert_eq!(rig.agent.state()["base"]["closed"]["by"], "stop");
    });
}

#[test]
fn metrics_are_for_programs_on_this_machine() {
    // Without a token from loopback; a request that any proxy has touched is refused.
    Rig::with(&[], |rig| {
        let metrics = Ask::new("GET", "/metrics").send(rig).expect(200);
        let text = String::from_utf8(metrics.body.clone()).unwrap();
        assert!(metrics.header("content-type").unwrap().starts_with("text/plain"));
        for name in ["robbie_gate_ticks", "robbie_link_up 1", "robbie_base_open 1", "robbie_estop_latched 0"]
        {
            assert!(text.contains(name), "{name} in {text}");
        }
        for (name, value) in [
            ("x-forwarded-for", "127.0.0.1"),
            ("forwarded", "for=127.0.0.1"),
            ("via", "1.1 x"),
            ("x-real-ip", "::1"),
        ] {
            let answer = Ask::new("GET", "/metrics").token(rig.owner()).header(name, value).send(rig);
            check_problem(&answer, 403, "no-right", name);
        }
        check_problem(
            &Ask::new("GET", "/metrics").host("evil.example").send(rig),
            403,
            "no-right",
            "another Host",
        );
        let health = Ask::new("GET", "/health").send(rig).expect(200).json();
        assert_eq!(health, json!({"status": "ok", "faults": []}));
    });
}

/// Everything that a page names loads, as what it is.
fn check_page(rig: &Rig, path: &str) -> String {
    let page = Ask::new("GET", path).send(rig).expect(200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"), "{path}");
    let policy = page.header("content-security-policy").unwrap_or_default();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("script-src 'self'"),
        "{path}: {policy}"
    );
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{path}");
    let text = String::from_utf8(page.body.clone()).unwrap();
    for name in
        text.split(['"', '\'']).filter(|name| name.starts_with("/docs/") || name.starts_with("/page/"))
    {
        let file = Ask::new("GET", name).send(rig).expect(200);
        assert!(!file.body.is_empty(), "{name}");
        let kind = file.header("content-type").unwrap();
        let wanted = match name.rsplit('.').next() {
            Some("js") => "text/javascript",
            Some("css") => "text/css",
            _ => "text/html",
        };
        assert!(kind.starts_with(wanted), "{name} is {kind}");
    }
    text
}

#[test]
fn the_page_and_the_documentation_load_from_the_binary() {
    // Nothing from elsewhere, no inline script, with every file they name; each problem type has its page.
    Rig::with(&[], |rig| {
        for path in ["/", "/docs", "/docs/", "/docs/problems"] {
            let text = check_page(rig, path);
            assert!(!text.contains("//cdn") && !text.contains("https://"), "{path} loads from elsewhere");
            assert!(!text.contains("<script>"), "{path} has an inline script");
        }
        let list = check_page(rig, "/docs/problems");
        for slug in [
            "bad-request",
            "too-long",
            "out-of-range",
            "no-token",
            "no-right",
            "not-found",
            "lease-held",
            "lease-needed",
            "closed",
            "neutral-first",
            "newer-estop",
            "version-conflict",
            "stale",
            "lease-gone",
            "not-rising",
            "estop-latched",
            "rate-limited",
            "starting",
            "link-down",
            "robot-away",
            "tier-down",
        ] {
            assert!(list.contains(&format!("/docs/problems/{slug}\"")), "{slug} in the list");
            let link = Ask::new("GET", &format!("/problems/{slug}")).send(rig).expect(308);
            assert_eq!(link.header("location"), Some(format!("/docs/problems/{slug}").as_str()));
        }
        for path in ["/docs/problems/nothing", "/problems/nothing", "/docs/nothing.js", "/page/nothing.js"] {
            check_problem(&Ask::new("GET", path).send(rig), 404, "not-found", path);
        }
    });
}

#[test]
fn pages_from_elsewhere_do_not_drive_the_robot() {
    // A `Host` that is no name of the robot, and an `Origin` that is not its page, are refused; named hosts are let in.
    Rig::with(&["http.hosts=robot.example", "limits.read_per_s=0"], |rig| {
        let host_port = rig.agent.address.to_string();
        let state = || Ask::new("GET", STATE).token(rig.owner());
        for host in
            ["127.0.0.1", "localhost", "robbie.local", "[::1]", "192.168.1.7", "robot.example", &host_port]
        {
            state().host(host).send(rig).expect(200);
        }
        for host in ["evil.example", "robot.example.evil.example", "localhost.evil.example", ""] {
            check_problem(&state().host(host).send(rig), 403, "no-right", host);
            check_problem(&Ask::new("GET", "/").host(host).send(rig), 403, "no-right", host);
        }
        let own = format!("http://{host_port}");
        let with_origin = |origin: &str| state().host(&host_port).header("origin", origin).send(rig);
        with_origin(&own).expect(200);
        with_origin("https://robot.example").expect(200);
        for origin in
            ["http://evil.example", "null", "http://localhost:3000", "file://", "", "http://127.0.0.1"]
        {
            check_problem(&with_origin(origin), 403, "no-right", origin);
        }
        let velocity = Ask::new("POST", VELOCITY).token(rig.owner()).header("origin", "http://evil.example");
        let velocity = velocity.body("{\"linear_mps\":0.1,\"angular_radps\":0}");
        check_problem(&velocity.send(rig), 403, "no-right", "a foreign page drives");
        let upgrade = upgrade("/api/robot/stream").token(rig.owner()).header("origin", "http://evil.example");
        check_problem(&upgrade.send(rig), 403, "no-right", "a foreign page opens a stream");
    });
}

/// The headers that open a WebSocket; the connection is closed by the answer or by dropping it.
fn upgrade(path: &str) -> Ask<'_> {
    Ask::new("GET", path)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
}

fn cookie_of(answer: &Answer) -> String {
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

#[test]
fn the_ready_url_logs_a_browser_in() {
    // `/?token=` sets a cookie that scripts cannot read, leads to the page without the token, and the cookie is a token.
    Rig::with(&[], |rig| {
        let path = format!("/?token={}", rig.owner());
        let login = Ask::new("GET", &path).send(rig).expect(303);
        assert_eq!(login.header("location"), Some("/"));
        let cookie = login.header("set-cookie").unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        let cookie = cookie_of(&login);
        Ask::new("GET", STATE).header("cookie", &cookie).send(rig).expect(200);
        Ask::new("POST", LEASES)
            .header("cookie", &cookie)
            .body("{\"resource\":\"base\"}")
            .send(rig)
            .expect(201);
        let foreign =
            Ask::new("POST", LEASES).header("cookie", &cookie).header("origin", "http://evil.example");
        check_problem(
            &foreign.body("{\"resource\":\"base\"}").send(rig),
            403,
            "no-right",
            "a foreign page with the cookie",
        );

        for token in ["rb_wrong", "", "%00", "a%0d%0aset-cookie:x=1"] {
            let path = format!("/?token={token}");
            let refused = Ask::new("GET", &path).send(rig);
            check_problem(&refused, 401, "no-token", token);
            assert_eq!(refused.header("set-cookie"), None, "{token}");
        }
        check_problem(&Ask::new("GET", "/?token=a&token=b").send(rig), 400, "bad-request", "two tokens");
    });
}

#[test]
fn a_websocket_takes_the_token_as_cookie_or_subprotocol() {
    // A browser can set no header there; the subprotocol it offers is answered.
    Rig::with(&[], |rig| {
        let open = |name: &str, value: &str| {
            let mut client = Client::connect(rig.agent.address, None);
            let request = format!(
                "GET /api/robot/stream HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{name}: {value}\r\n\r\n"
            );
            client.send_raw(request.as_bytes()).unwrap();
            client.receive().unwrap()
        };
        let token = rig.owner();
        let cookie = cookie_of(&Ask::new("GET", &format!("/?token={token}")).send(rig));
        open("cookie", &cookie).expect(101);
        let named = open("sec-websocket-protocol", &format!("robbie, robbie.token.{token}")).expect(101);
        assert_eq!(named.header("sec-websocket-protocol"), Some("robbie"));
        let alone = open("sec-websocket-protocol", &format!("robbie.token.{token}")).expect(101);
        assert_eq!(alone.header("sec-websocket-protocol"), Some(format!("robbie.token.{token}").as_str()));
        check_problem(
            &open("sec-websocket-protocol", "robbie, robbie.token.rb_x"),
            401,
            "no-token",
            "a wrong one",
        );
        check_problem(&open("x-nothing", "x"), 401, "no-token", "none");
    });
}
