//! Where a package index keeps a file: reads the project's "simple" page (PEP 503), which every index and mirror has.

use reqwest::header::ACCEPT;
use reqwest::{Client, Url};

use super::PullError;
use super::error::in_words;
use super::fetch::{address, host};
use crate::catalog::Wheel;

/// A page of one project has a few kB.
const PAGE_BYTES_MAX: usize = 1 << 20;

/// The address of a package's file. What stands behind it is checked by its checksum, so the page need not be trusted.
pub(super) async fn find(client: &Client, index: &str, wheel: &Wheel) -> Result<Url, PullError> {
    let page = address(&format!("{}/{}/", index.trim_end_matches('/'), wheel.project))?;
    let unreachable = |why: String| PullError::Unreachable { host: host(&page), why };
    let request = client.get(page.clone()).header(ACCEPT, "text/html");
    let mut answer = request.send().await.map_err(|error| unreachable(in_words(error)))?;
    if !answer.status().is_success() {
        return Err(unreachable(format!("it answered {}", answer.status())));
    }
    // Links are relative to where the page was found in the end.
    let base = answer.url().clone();
    let mut text = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unreachable(in_words(error)))? {
        if text.len() + chunk.len() > PAGE_BYTES_MAX {
            return Err(unreachable("its page is far too long".to_owned()));
        }
        text.extend_from_slice(&chunk);
    }
    let text = String::from_utf8_lossy(&text);
    link_to(&text, &base, &wheel.file)
        .ok_or_else(|| PullError::NotListed { host: host(&page), file: wheel.file.clone() })
}

/// The first link on a page whose path ends in the file's name.
fn link_to(page: &str, base: &Url, file: &str) -> Option<Url> {
    page.split("href=").skip(1).find_map(|rest| {
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let target = rest[1..].split(quote).next()?.replace("&amp;", "&");
        let url = base.join(&target).ok()?;
        let is_it = url.path_segments()?.next_back()? == file;
        (is_it && matches!(url.scheme(), "http" | "https")).then_some(url)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(page: &str, expected: Option<&str>) {
        let base = Url::parse("https://index.test/simple/a-b/").unwrap();
        assert_eq!(link_to(page, &base, "a_b-1-py3-none-any.whl").as_ref().map(Url::as_str), expected);
    }

    #[test]
    fn the_file_is_found_by_its_name_whatever_stands_around_it() {
        let absolute = r#"<a href="https://files.test/a_b-1.tar.gz">x</a> <a href="https://files.test/12/a_b-1-py3-none-any.whl#sha256=00" data-x="">y</a>"#;
        check(absolute, Some("https://files.test/12/a_b-1-py3-none-any.whl#sha256=00"));
        check(
            "<A class=z href='../../p/a_b-1-py3-none-any.whl?a=1&amp;b=2'>",
            Some("https://index.test/p/a_b-1-py3-none-any.whl?a=1&b=2"),
        );
    }

    #[test]
    fn what_is_no_link_to_the_file_is_passed_over() {
        check("", None);
        check("href=", None);
        check("<a href=\"a_b-1-py3-none-any.whl.asc\">", None);
        check("<a href=\"file:///a_b-1-py3-none-any.whl\"><a href=\"::\"><a href=a_b>", None);
        check("<a href=\"é", None);
    }
}
