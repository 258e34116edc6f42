//! Cuts a body into its frames: server-sent events, or one JSON text a line. It keeps at most one frame, of at most 1 MiB.

use std::str;

/// Longest line, and longest event, bytes.
pub(crate) const FRAME_BYTES_MAX: usize = 1024 * 1024;

/// How frames are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Server-sent events: the data of each. Names of events say nothing that the data does not.
    Events,
    /// A JSON text a line.
    Lines,
}

/// Bytes that are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoFrame {
    TooLong,
    NotText,
}

/// The body so far, as far as it has not been taken.
#[derive(Debug)]
pub(crate) struct Frames {
    shape: Shape,
    bytes: Vec<u8>,
    /// Taken already.
    taken: usize,
    /// Looked through for the end of a line, without finding one.
    searched: usize,
    /// Of the event whose end has not come.
    data: Option<String>,
}

impl Frames {
    pub(crate) const fn new(shape: Shape) -> Self {
        Self { shape, bytes: Vec::new(), taken: 0, searched: 0, data: None }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.searched -= self.taken;
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame. A character may be cut by the end of a piece of the body: only whole lines are decoded.
    pub(crate) fn next(&mut self) -> Result<Option<String>, NoFrame> {
        while let Some(length) = self.bytes[self.searched..].iter().position(|&byte| byte == b'\n') {
            let end = self.searched + length;
            let line = decoded(&self.bytes[self.taken..end])?;
            let frame = taken(self.shape, &mut self.data, line);
            self.taken = end + 1;
            self.searched = self.taken;
            if let Some(frame) = frame? {
                return Ok(Some(frame));
            }
        }
        self.searched = self.bytes.len();
        if self.searched - self.taken > FRAME_BYTES_MAX {
            return Err(NoFrame::TooLong);
        }
        Ok(None)
    }

    /// What is left when the body has ended: some servers leave out the last line's end.
    pub(crate) fn rest(&mut self) -> Option<String> {
        let line = decoded(&self.bytes[self.taken..]).ok()?;
        let frame = taken(self.shape, &mut self.data, line).ok()?;
        frame.or_else(|| self.data.take())
    }
}

fn decoded(line: &[u8]) -> Result<&str, NoFrame> {
    if line.len() > FRAME_BYTES_MAX {
        return Err(NoFrame::TooLong);
    }
    let Ok(line) = str::from_utf8(line) else {
        return Err(NoFrame::NotText);
    };
    Ok(line.strip_suffix('\r').unwrap_or(line))
}

/// The frame that ends with this line.
fn taken(shape: Shape, data: &mut Option<String>, line: &str) -> Result<Option<String>, NoFrame> {
    if shape == Shape::Lines {
        return Ok((!line.trim().is_empty()).then(|| line.to_owned()));
    }
    if line.is_empty() {
        return Ok(data.take().filter(|data| !data.is_empty()));
    }
    // Not an event: a server that answers 200 with a plain error does that.
    let more = if line.starts_with('{') { line } else { line.strip_prefix("data:").unwrap_or_default() };
    let more = more.strip_prefix(' ').unwrap_or(more);
    if more.is_empty() {
        return Ok(None);
    }
    match data {
        Some(data) if data.len() + more.len() > FRAME_BYTES_MAX => return Err(NoFrame::TooLong),
        Some(data) => {
            data.push('\n');
            data.push_str(more);
        }
        None => *data = Some(more.to_owned()),
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(shape: Shape, pieces: &[&[u8]]) -> Result<Vec<String>, NoFrame> {
        let mut frames = Frames::new(shape);
        let mut found = Vec::new();
        for piece in pieces {
            frames.push(piece);
            while let Some(frame) = frames.next()? {
                found.push(frame);
            }
        }
        found.extend(frames.rest());
        Ok(found)
    }

    fn check(shape: Shape, body: &str, frames: &[&str]) {
        assert_eq!(all(shape, &[body.as_bytes()]).unwrap(), frames, "{body:?}");
    }

    #[test]
    fn events_are_their_data_and_lines_are_their_text() {
        check(Shape::Events, "data: one\n\ndata:two\r\n\r\n", &["one", "two"]);
        check(Shape::Events, ": hello\n\nevent: a\ndata: one\ndata: more\n\n", &["one\nmore"]);
        check(Shape::Events, "data: one\n\ndata: [DONE]", &["one", "[DONE]"]);
        check(Shape::Events, "{\"error\":1}\n", &["{\"error\":1}"]);
        check(Shape::Events, "event: ping\nid: 3\nretry: 5\n\n", &[]);
        check(Shape::Lines, "{}\n\n{\"a\":1}\r\n{\"b\":2}", &["{}", "{\"a\":1}", "{\"b\":2}"]);
    }

    #[test]
    fn a_line_without_end_is_not_kept_for_ever() {
        let long = vec![b'x'; FRAME_BYTES_MAX / 2 + 1];
        for shape in [Shape::Events, Shape::Lines] {
            assert_eq!(
                all(shape, &[&long]).map(|frames| frames.len()),
                Ok(usize::from(shape == Shape::Lines))
            );
            assert_eq!(all(shape, &[&long, &long]), Err(NoFrame::TooLong));
            assert_eq!(all(shape, &[&long, &long, b"\n"]), Err(NoFrame::TooLong));
        }
        let line = [b"data: ".as_slice(), &long, b"\n"].concat();
        assert_eq!(all(Shape::Events, &[&line, &line]), Err(NoFrame::TooLong));
    }

    #[test]
    fn bytes_that_are_no_text_are_no_frame() {
        assert_eq!(all(Shape::Events, &[b"data: \xff\n\n"]), Err(NoFrame::NotText));
        assert_eq!(all(Shape::Lines, &[b"\xc3\n"]), Err(NoFrame::NotText));
    }

    proptest! {
        #[test]
        fn frames_do_not_depend_on_where_a_body_is_cut(
            texts in proptest::collection::vec("[a-zäß🤖 ]{1,9}", 1..6),
            cuts in proptest::collection::vec(0_usize..200, 0..6),
        ) {
            let body: String = texts.iter().map(|text| format!("data:{text}\n\n")).collect();
            let whole = all(Shape::Events, &[body.as_bytes()]).unwrap();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
            cuts.extend([0, body.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &body.as_bytes()[cut[0]..cut[1]]).collect();
            prop_assert_eq!(all(Shape::Events, &pieces).unwrap(), whole);
        }
    }
}
