//! What sync adds to the values of an operation on the wire.

use cloud_sync_protocol::sync::frame::Frame;

use crate::device::{content, note, push_of};
use crate::report::{Figure, Report};

/// Operations of the frame.
const OPS: u64 = 100;

/// Measures it.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let ops = (1..=OPS).map(|seq| note(0x1234_5678_9abc_def0, seq)).collect();
    let frame = Frame::Push(push_of(0x0fed_cba9_8765_4321, 0x1234_5678_9abc_def0, ops));
    let (meta, whole) = (frame.meta_bytes(), frame.encode()?.len());
    let text: usize = (1..=OPS).map(|seq| content(seq).len()).sum();
    let per_op = |bytes: usize| bytes as f64 / OPS as f64;
    let note = format!(
        "{OPS} new notes in a frame, everything but the fields' values, before compression; {:.1} B an operation on the wire \
         after it, {:.1} B of them its text before; baseline: the same note as JSON, without its text",
        per_op(whole),
        per_op(text)
    );
    let json = r#"{"id":"019ab5b0-7a30-7cc1-9b1e-0f2f6b0c9a11","kind":"insert","table":"notes","content":"","created_by":"owner","created_at":"2026-11-28T07:00:00.000Z"}"#;
    report.add(
        Figure::new("sync_meta_bytes_per_op", per_op(meta), "B")
            .beside(json.len() as f64)
            .at_most(24.0)
            .note(note),
    );
    Ok(())
}
