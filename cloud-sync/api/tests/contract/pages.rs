//! Lists: filters, order, pages, cursors, limits.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Program;
use super::client::{NOTES, Reply, escaped, unique};
use super::notes::tagged;

/// Writes notes with these priorities and one tag.
fn write(program: &Program, tag: &str, priorities: impl IntoIterator<Item = u8>) {
    for priority in priorities {
        let body = json!({"content": format!("row {priority}"), "tags": [tag], "priority": priority});
        program.post(NOTES, &body).expect(201);
    }
}

fn next(reply: &Reply) -> Option<String> {
    reply.header("x-next-cursor").map(str::to_owned)
}

fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// An instant as text that sorts.
fn instant(row: &Value) -> String {
    let text = row["created_at"].as_str().unwrap().trim_end_matches('Z');
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{seconds}.{fraction:0<9}")
}

pub(super) fn filters_let_pass_what_fits_alone(program: &Program) {
    // Tag letter for letter, words in any order and ending, author; together they all count.
    let (tag, word) = (unique("Tag"), unique("walrus"));
    let note = |content: &str, tags: Value| {
        let body = json!({"content": content, "tags": tags});
        program.post(NOTES, &body).expect(201).json()["id"].as_str().unwrap().to_owned()
    };
    let both = note(&format!("Painting of a {word}"), json!([tag, "x"]));
    let one = note(&format!("{word} paints"), json!([]));
    let body = json!({"content": format!("a {word}"), "tags": [tag]});
    let others = program.ask("POST", NOTES).token(&program.other.token).json(&body).send().expect(201).json();
    let others = others["id"].as_str().unwrap().to_owned();
    let check = |query: &str, wanted: &[&String]| {
        let found: BTreeSet<String> =
            ids(&program.get(&format!("{NOTES}?{query}")).expect(200).rows()).into_iter().collect();
        let wanted: BTreeSet<String> = wanted.iter().map(|id| (*id).clone()).collect();
        assert_eq!(found, wanted, "{query}");
    };
    check(&format!("tag={tag}"), &[&both, &others]);
    check(&format!("tag={}", tag.to_lowercase()), &[]);
    check(&format!("tag={}", &tag[..tag.len() - 1]), &[]);
    check(&format!("q={word}"), &[&both, &one, &others]);
    check(&format!("text={word}"), &[&both, &one, &others]);
    check(&format!("q={}+PAINTED", word.to_uppercase()), &[&both, &one]);
    check(&format!("q={word}+nowhere"), &[]);
    check(&format!("q={word}&author={}", escaped(&program.other.user_id)), &[&others]);
    check(&format!("q=paint+{word}&tag={tag}&author={}", escaped(&program.owner.user_id)), &[&both]);
    check(&format!("tag={tag}&author=nobody-at-all"), &[]);
    check(&format!("tag={tag}&q=&author=&limit=&cursor="), &[&both, &others]);
}

pub(super) fn the_most_urgent_come_first(program: &Program) {
    // Highest priority first, then newest.
    let tag = unique("urgent");
    write(program, &tag, [5, 90, 5, 0, 100, 90, 5]);
    let rows = tagged(program, &tag);
    let order: Vec<u64> = rows.iter().map(|row| row["priority"].as_u64().unwrap()).collect();
    assert_eq!(order, [100, 90, 90, 5, 5, 5, 0]);
    for pair in rows.windows(2).filter(|pair| pair[0]["priority"] == pair[1]["priority"]) {
        assert!(instant(&pair[0]) >= instant(&pair[1]), "{pair:?}");
    }
}

pub(super) fn pages_show_every_row_once(program: &Program) {
    // Pages of any size, put together, are the list; also while others write, what was there is shown once.
    let tag = unique("pages");
    write(program, &tag, (0..23).map(|number| number % 4));
    let whole = ids(&tagged(program, &tag));
    assert_eq!(whole.len(), 23);
    for limit in [1, 7, 22, 23, 24] {
        let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let reply = program.get(&format!("{NOTES}?tag={tag}&limit={limit}&cursor={cursor}")).expect(200);
            let rows = reply.rows();
            assert!(rows.len() <= limit, "{} rows for {limit}", rows.len());
            seen.extend(ids(&rows));
            pages += 1;
            assert!(pages <= 24, "the pages do not end");
            let Some(next) = next(&reply) else { break };
            assert!(!rows.is_empty(), "an empty page leads nowhere");
            cursor = escaped(&next);
        }
        assert_eq!(seen, whole, "limit {limit}");
    }
    let first = program.get(&format!("{NOTES}?tag={tag}&limit=10")).expect(200);
    let (mut seen, mut cursor) = (ids(&first.rows()), next(&first));
    write(program, &tag, [3, 2, 0]);
    program.delete(&format!("{NOTES}{}", seen[9])).expect(204);
    while let Some(next_page) = cursor {
        let page =
            program.get(&format!("{NOTES}?tag={tag}&limit=10&cursor={}", escaped(&next_page))).expect(200);
        seen.extend(ids(&page.rows()));
        cursor = next(&page);
    }
    assert!(whole.iter().all(|id| seen.iter().filter(|other| *other == id).count() == 1), "each once");
}

pub(super) fn a_cursor_fits_its_own_list_only(program: &Program) {
    // Of another list, with another filter, another user's, cut, made up: 400 that names the field.
    let tag = unique("cursors");
    write(program, &tag, [1, 2, 3]);
    program.post("/api/mood/update", &json!({"energy": 41})).expect(200);
    program.post("/api/mood/update", &json!({"energy": 42})).expect(200);
    let of_notes = escaped(&next(&program.get(&format!("{NOTES}?tag={tag}&limit=1"))).expect("a next page"));
    let of_moods = escaped(&next(&program.get("/api/mood/history?limit=1")).expect("a next page"));
    program.get(&format!("{NOTES}?tag={tag}&limit=2&cursor={of_notes}")).expect(200);
    program.get(&format!("/api/mood/history?limit=2&cursor={of_moods}")).expect(200);
    let owners_turns =
        program.get("/api/conversations").expect(200).rows()[0]["id"].as_str().unwrap().to_owned();
    let wrong = [
        format!("{NOTES}?limit=1&cursor={of_notes}"),
        format!("{NOTES}?tag={tag}x&limit=1&cursor={of_notes}"),
        format!("{NOTES}?tag={tag}&q=row&limit=1&cursor={of_notes}"),
        format!("{NOTES}?tag={tag}&limit=1&cursor={of_moods}"),
        format!("/api/mood/history?cursor={of_notes}"),
        format!("/api/conversations?cursor={of_moods}"),
        format!("/api/conversations/{owners_turns}?cursor={of_notes}"),
        format!("{NOTES}?tag={tag}&cursor={}", &of_notes[..of_notes.len() / 2]),
        format!("{NOTES}?tag={tag}&cursor=nothing"),
        format!("{NOTES}?tag={tag}&cursor=%27%20OR%201=1"),
        format!("{NOTES}?tag={tag}&cursor=%F0%9F%8D%AA"),
        format!("{NOTES}?tag={tag}&cursor={}", "9".repeat(5000)),
    ];
    for path in wrong {
        let problem = program.get(&path).problem(400, "bad-request");
        assert_eq!(problem["field"], "cursor", "{path}");
    }
    let theirs = program
        .ask("GET", &format!("/api/mood/history?cursor={of_moods}"))
        .token(&program.other.token)
        .send();
    theirs.problem(400, "bad-request");
}

pub(super) fn limits_are_checked(program: &Program) {
    // Outside the range 422 with its ends; no number 400; the default is 50 rows.
    let tag = unique("limits");
    write(program, &tag, [1; 51]);
    assert_eq!(program.get(&format!("{NOTES}?tag={tag}")).expect(200).rows().len(), 50);
    let lists = [
        (NOTES, 500_i64),
        ("/api/mood/history", 500),
        ("/api/conversations", 500),
        ("/api/memory/search?q=row", 100),
        ("/api/sticky-notes/surface", 50),
    ];
    for (path, max) in lists {
        let with = |limit: &str| {
            program.get(&format!("{path}{}limit={limit}", if path.contains('?') { '&' } else { '?' }))
        };
        with("1").expect(200);
        with(&max.to_string()).expect(200);
        for outside in [0, -1, max + 1, 1 << 40] {
            let problem = with(&outside.to_string()).problem(422, "out-of-range");
            assert_eq!(
                (&problem["field"], problem["max"].as_f64()),
                (&json!("limit"), Some(max as f64)),
                "{path}"
            );
        }
        for no_number in ["ten", "1.5", "0x10", "%00", "1;"] {
            assert_eq!(with(no_number).problem(400, "bad-request")["field"], "limit", "{path} {no_number}");
        }
        with("1&limit=2").problem(400, "bad-request");
    }
}
