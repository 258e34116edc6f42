//! Answers as servers in the field write them, byte for byte: what is read into them and what is not.

use std::net::Ipv4Addr;

use models_mind::tier::{Delta, Failure};
use models_providers::Kind;
use models_twin::{Call, Rule};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{ask, pair, provider, says, short, twin};

/// Asks a server that sends exactly `answer`, head included, and closes the connection.
async fn ask_raw(kind: Kind, answer: impl AsRef<[u8]>) -> Vec<Result<Delta, Failure>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let serving = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        // The question is small: it comes in one piece, or in two.
        let mut question = Vec::new();
        while !question.ends_with(b"}") {
            stream.read_buf(&mut question).await.expect("a question");
        }
        stream.write_all(answer.as_ref()).await.expect("a client");
        stream.shutdown().await.expect("a client");
        // What is still to be read would turn the end into a break.
        stream.read_to_end(&mut question).await.ok();
    };
    let provider = provider(kind, &url);
    let (found, ()) = tokio::join!(
        async {
            let found = ask(&provider, "Hello").await;
            drop(provider);
            found
        },
        serving
    );
    found
}

async fn check(kind: Kind, lines: &[&str], expected: &str) {
    let body = match kind {
        Kind::Ollama => lines.iter().map(|line| format!("{line}\n")).collect(),
        _ => lines.iter().map(|line| format!("data: {line}\n\n")).collect::<String>(),
    };
    check_body(kind, &body, expected).await;
}

async fn check_body(kind: Kind, body: &str, expected: &str) {
    let found = ask_raw(kind, format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}")).await;
    assert_eq!(short(&found), format!("connected|{expected}"), "{kind:?}: {body}");
}

/// A chunk of OpenAI's with this delta, and one with this reason.
fn delta(delta: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#)
}

fn finish(reason: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}"#)
}

async fn check_openai(lines: &[&str], expected: &str) {
    check(Kind::OpenAi, lines, expected).await;
}

#[tokio::test]
async fn openai_ends_with_its_reason_and_what_it_took() {
    let (hi, stop) = (delta(r#"{"content":"Hi"}"#), finish("stop"));
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#;
    check_openai(&[&hi, &stop, usage, "[DONE]"], "Hi|Stop 3/2").await;
    check_openai(&[&hi, &stop, "[DONE]"], "Hi|Stop").await;
    check_openai(&[&hi, &stop], "Hi|Stop").await;
    check_openai(&[&hi, &finish("length"), "[DONE]"], "Hi|Length").await;
    // A proxy ends a broken answer like this.
    check_openai(&[&hi, "[DONE]"], "Hi|Cut").await;
    check_openai(&[&hi], "Hi|Cut").await;
    check_openai(&[&delta(r#"{"content":" \n"}"#), &stop, "[DONE]"], " \n|Empty").await;
    check_openai(&[&hi, &finish("tool_calls"), "[DONE]"], "Hi|Stop").await;
}

#[tokio::test]
async fn openai_refusals_and_errors_are_no_answers() {
    let hi = delta(r#"{"content":"Hi"}"#);
    check_openai(&[&delta(r#"{"refusal":"I will not"}"#), &finish("stop")], "WrongFinish").await;
    check_openai(&[&hi, r#"{"error":{"message":"overloaded"}}"#], "Hi|InBand").await;
    check_openai(&[&hi, r#"{"error":"overloaded"}"#], "Hi|InBand").await;
    check_openai(&[&hi, r#"{"error":null,"choices":[]}"#, &finish("stop")], "Hi|Stop").await;
    check_openai(&[&hi, "not json"], "Hi|Malformed").await;
    check_openai(&[&hi, "[1,2]"], "Hi|Malformed").await;
    check_openai(&[&hi, r#"{"choices":"none"}"#], "Hi|Malformed").await;
    check_body(Kind::OpenAi, r#"{"error":{"message":"no such model"}}"#, "InBand").await;
    check_body(Kind::OpenAi, "<html>Welcome to the hotel</html>\n\n", "Cut").await;
    check_body(Kind::OpenAi, "", "Cut").await;
    // The last line has no end: it counts if it is whole, and was cut if it is not.
    check_body(Kind::OpenAi, &format!("data: {hi}\n\ndata: {}", finish("stop")), "Hi|Stop").await;
    check_body(Kind::OpenAi, &format!("data: {hi}\n\ndata: {{\"choi"), "Hi|Cut").await;
    check_body(
        Kind::OpenAi,
        &format!(": waiting\r\n\r\ndata: {hi}\r\n\r\ndata: {}\r\n\r\n", finish("stop")),
        "Hi|Stop",
    )
    .await;
}

#[tokio::test]
async fn openai_thoughts_and_second_answers_are_not_heard() {
    let thought = delta(r#"{"reasoning_content":"Hm","reasoning":"Hm","content":null}"#);
    let parts = r#"[{"type":"thinking","thinking":[{"text":"Hm"}]},{"type":"text","text":"Hi"}]"#;
    let parts = delta(&format!(r#"{{"content":{parts}}}"#));
    check_openai(&[&parts, &finish("stop")], "Hi|Stop").await;
    let second = r#"{"choices":[{"index":1,"delta":{"content":"Other"},"finish_reason":"stop"}]}"#;
    let (hi, stop) = (delta(r#"{"content":"Hi"}"#), finish("stop"));
    check_openai(&[&thought, &hi, second, &stop, "[DONE]"], "Hi|Stop").await;
}

#[tokio::test]
async fn openai_calls_are_put_together_however_they_are_numbered() {
    let call = |call: &str| delta(&format!(r#"{{"tool_calls":[{call}]}}"#));
    let opened = call(r#"{"index":0,"id":"a","type":"function","function":{"name":"drive","arguments":""}}"#);
    let more = |part: &str| call(&format!(r#"{{"index":0,"function":{{"arguments":"{part}"}}}}"#));
    let (first, second) = (more("{\\\"m\\\":"), more("1}"));
    let end = finish("tool_calls");
    check_openai(&[&opened, &first, &second, &end], r#"drive({"m":1})|Calls"#).await;
    check_openai(&[&opened, &end], "drive({})|Calls").await;
    check_openai(&[&opened, &first, &second, &finish("stop")], r#"drive({"m":1})|Calls"#).await;
    // Tokens ran out in the middle of it: half a call is none.
    check_openai(&[&delta(r#"{"content":"Hi"}"#), &opened, &first, &finish("length")], "Hi|Length").await;
    check_openai(&[&opened, &first, &end], "Malformed").await;
    // No index at all, and one index for all.
    for index in ["", r#""index":0,"#] {
        let whole = |id: &str, name: &str| {
            call(&format!(r#"{{{index}"id":"{id}","function":{{"name":"{name}","arguments":"{{}}"}}}}"#))
        };
        check_openai(&[&whole("a", "stop"), &whole("b", "look"), &end], "stop({})|look({})|Calls").await;
    }
    // Arguments that are no text.
    let as_object = call(r#"{"index":0,"id":"a","function":{"name":"drive","arguments":{"m":1}}}"#);
    check_openai(&[&as_object, &end], r#"drive({"m":1})|Calls"#).await;
    // An index sizes nothing.
    let far = call(r#"{"index":4294967295,"id":"a","function":{"name":"stop","arguments":"{}"}}"#);
    check_openai(&[&far, &end], "stop({})|Calls").await;
    let many: Vec<String> = (0..65)
        .map(|at| call(&format!(r#"{{"index":{at},"id":"{at}","function":{{"name":"x","arguments":""}}}}"#)))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).chain([end.as_str()]).collect();
    check_openai(&many, "Malformed").await;
    check_openai(&[&call(r#"{"index":0,"id":"a","function":{"arguments":"{}"}}"#), &end], "Malformed").await;
}

fn claude_text(text: &str) -> String {
    format!(r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}}"#)
}

fn claude_end(reason: &str) -> String {
    format!(
        r#"{{"type":"message_delta","delta":{{"stop_reason":"{reason}"}},"usage":{{"output_tokens":7}}}}"#
    )
}

#[tokio::test]
async fn claude_is_read_block_by_block() {
    let start = r#"{"type":"message_start","message":{"usage":{"input_tokens":5,"cache_read_input_tokens":100,"cache_creation_input_tokens":10,"output_tokens":1}}}"#;
    let stop = r#"{"type":"message_stop"}"#;
    let thought =
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}"#;
    let more_thought =
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"}}"#;
    let new = r#"{"type":"something_new","index":0}"#;
    let (hi, end) = (claude_text("Hi"), claude_end("end_turn"));
    let kind = Kind::Claude;
    check(kind, &[start, &hi, &end, stop], "Hi|Stop 115/7").await;
    check(kind, &[start, thought, more_thought, new, &hi, &end, stop], "Hi|Stop 115/7").await;
    check(kind, &[start, &hi, &claude_end("max_tokens"), stop], "Hi|Length 115/7").await;
    check(kind, &[start, &hi, &claude_end("refusal"), stop], "Hi|WrongFinish").await;
    check(kind, &[start, &hi, stop], "Hi|Cut").await;
    check(kind, &[start, thought, more_thought, &end, stop], "Empty").await;
    check(
        kind,
        &[start, r#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#],
        "InBand",
    )
    .await;
    check(kind, &[start, r#"{"no":"type"}"#], "Malformed").await;
}

#[tokio::test]
async fn claude_calls_are_whole_or_none() {
    let open = r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"drive","input":{}}}"#;
    let part = |part: &str| {
        format!(
            r#"{{"type":"content_block_delta","index":1,"delta":{{"type":"input_json_delta","partial_json":"{part}"}}}}"#
        )
    };
    let close = r#"{"type":"content_block_stop","index":1}"#;
    let stop = r#"{"type":"message_stop"}"#;
    let (first, second) = (part("{\\\"m\\\":"), part("1}"));
    let (hi, calls, length) = (claude_text("Hi"), claude_end("tool_use"), claude_end("max_tokens"));
    let kind = Kind::Claude;
    check(kind, &[open, &first, &second, close, &calls, stop], r#"drive({"m":1})|Calls 0/7"#).await;
    check(kind, &[open, close, &calls, stop], "drive({})|Calls 0/7").await;
    check(kind, &[open, &first, close, &calls, stop], "Malformed").await;
    check(kind, &[&hi, open, &first, close, &length, stop], "Hi|Length 0/7").await;
    check(kind, &[&hi, open, &first, &length, stop], "Hi|Length 0/7").await;
}

#[tokio::test]
async fn gemini_is_read_part_by_part() {
    let chunk = |parts: &str, rest: &str| {
        format!(r#"{{"candidates":[{{"content":{{"role":"model","parts":[{parts}]}}{rest}}}]}}"#)
    };
    let usage =
        r#"{"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":2,"thoughtsTokenCount":30}}"#;
    let hi = chunk(r#"{"text":"Hi"}"#, "");
    let end = |reason: &str| chunk("", &format!(r#","finishReason":"{reason}""#));
    let kind = Kind::Gemini;
    check(kind, &[&hi, usage, &end("STOP")], "Hi|Stop 4/32").await;
    check(kind, &[&chunk(r#"{"text":"Hm","thought":true},{"text":"Hi"}"#, ""), &end("STOP")], "Hi|Stop")
        .await;
    check(kind, &[&chunk(r#"{"text":"Hi"}"#, r#","finishReason":"MAX_TOKENS""#)], "Hi|Length").await;
    check(kind, &[&chunk(r#"{"text":"Hi"}"#, r#","finishReason":"SAFETY""#)], "Hi|WrongFinish").await;
    check(kind, &[r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}"#], "WrongFinish").await;
    check(
        kind,
        &[&hi, r#"{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}"#],
        "Hi|InBand",
    )
    .await;
    check(kind, &[&hi], "Hi|Cut").await;
    check(kind, &[&end("STOP")], "Empty").await;
    let call = r#"{"functionCall":{"name":"stop"},"thoughtSignature":"c2ln"}"#;
    check(kind, &[&chunk(call, ""), &end("STOP")], "stop({})|Calls").await;
    // Without `alt=sse` on some proxies: a list, over many lines.
    check_body(kind, "[{\n  \"candidates\": []\n}]\n", "Cut").await;
}

#[tokio::test]
async fn ollama_is_read_line_by_line() {
    let hi = r#"{"message":{"role":"assistant","content":"Hi"},"done":false}"#;
    let end = |rest: &str| format!(r#"{{"message":{{"content":""}},"done":true{rest}}}"#);
    let kind = Kind::Ollama;
    let counts = r#","done_reason":"stop","prompt_eval_count":9,"eval_count":3"#;
    check(kind, &[hi, &end(counts)], "Hi|Stop 9/3").await;
    check(kind, &[hi, &end("")], "Hi|Stop").await;
    check(kind, &[hi, &end(r#","done_reason":"length""#)], "Hi|Length").await;
    check(kind, &[r#"{"message":{"content":"","thinking":"Hm"},"done":false}"#, hi, &end("")], "Hi|Stop")
        .await;
    check(kind, &[&end(r#","done_reason":"load""#)], "WrongFinish").await;
    check(kind, &[hi, r#"{"error":"llama runner process has terminated"}"#], "Hi|InBand").await;
    check(kind, &[hi], "Hi|Cut").await;
    check_body(kind, &format!("{hi}\n{}", end("")), "Hi|Stop").await;
    check_body(kind, &format!("{hi}\n{{\"mess"), "Hi|Cut").await;
    let calls = r#"{"message":{"tool_calls":[{"function":{"name":"stop"}},{"function":{"name":"drive","arguments":"{\"m\":1}"}}]},"done":false}"#;
    check(kind, &[calls, &end("")], r#"stop({})|drive({"m":1})|Calls"#).await;
}

#[tokio::test]
async fn a_body_that_breaks_is_cut_even_where_it_could_have_ended() {
    let hi = delta(r#"{"content":"Hi"}"#);
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n";
    let found = ask_raw(Kind::OpenAi, format!("{head}data: {hi}\n\n")).await;
    assert_eq!(short(&found), "connected|Hi|Cut");
    // Its reason had come: nothing is missing but what it took.
    let found = ask_raw(Kind::OpenAi, format!("{head}data: {hi}\n\ndata: {}\n\n", finish("stop"))).await;
    assert_eq!(short(&found), "connected|Hi|Stop");
    let found = ask_raw(Kind::OpenAi, "no HTTP at all".to_owned()).await;
    assert_eq!(short(&found), "Cut");
    let found =
        ask_raw(Kind::OpenAi, "HTTP/1.1 429 \r\nretry-after: 3\r\ncontent-length: 99\r\n\r\n{".to_owned())
            .await;
    assert_eq!(short(&found), "RateLimited 3000ms");
}

#[tokio::test]
async fn nobody_is_redirected_with_a_question_and_a_key() {
    let elsewhere = twin(Kind::OpenAi).await;
    for status in [301, 302, 307, 308] {
        let to = format!("location: {}chat/completions\r\ncontent-length: 0\r\n\r\n", elsewhere.url());
        let found = ask_raw(Kind::OpenAi, format!("HTTP/1.1 {status} Elsewhere\r\n{to}")).await;
        assert_eq!(short(&found), "Malformed", "{status}");
    }
    assert_eq!(elsewhere.requests(), 0);
}

/// The answer of a twin with words and a call, as it is on the wire.
async fn whole_answer(kind: Kind) -> String {
    let (twin, provider) = pair(kind).await;
    let calls = vec![Call { name: "drive".to_owned(), arguments: json!({"m": 0.5}) }];
    twin.script(vec![Rule { calls, ..says("One two ä three.") }]).await;
    assert_eq!(short(&ask(&provider, "Hello").await), WHOLE.replace("END", "Calls 1/5"), "{kind:?}");
    let path = match kind {
        Kind::Ollama => "api/chat",
        Kind::OpenAi | Kind::Cloud => "chat/completions",
        Kind::Claude => "messages",
        Kind::Gemini => "models/m:streamGenerateContent?alt=sse",
    };
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
    let question = twin.last().expect("a question").raw.to_string();
    let answer = http.post(twin.url() + path).body(question).send().await.expect("an answer");
    answer.text().await.expect("text")
}

const WHOLE: &str = r#"connected|One |two |ä |three.|drive({"m":0.5})|END"#;

#[tokio::test]
async fn an_answer_that_is_cut_anywhere_is_a_beginning_of_it_and_never_taken_for_whole() {
    for kind in Kind::ALL {
        let body = whole_answer(kind).await;
        let (whole, _) = WHOLE.rsplit_once("END").expect("an end");
        for cut in (0..body.len()).step_by(5) {
            let mut answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
            answer.extend(&body.as_bytes()[..cut]);
            let found = short(&ask_raw(kind, answer).await);
            match found.strip_suffix("Cut") {
                Some(before) => assert!(whole.starts_with(before), "{kind:?} cut at {cut}: {found}"),
                // What comes behind the reason is counting only.
                None => assert_eq!(
                    found.strip_prefix(whole).map(|end| &end[..5]),
                    Some("Calls"),
                    "{kind:?} {cut}: {found}"
                ),
            }
        }
    }
}
