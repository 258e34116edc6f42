//! What is counted over all seeds, printed as JSON lines.

/// Sums.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) edits: u64,
    pub(super) frames: u64,
    pub(super) dropped: u64,
    pub(super) doubled: u64,
    pub(super) hung_up: u64,
    pub(super) crashes: u64,
    pub(super) resets: u64,
    pub(super) new_lives: u64,
    pub(super) conflicts: u64,
    pub(super) virtual_ms: i64,
}

impl Figures {
    pub(super) fn merge(&mut self, other: &Self) {
        self.edits += other.edits;
        self.frames += other.frames;
        self.dropped += other.dropped;
        self.doubled += other.doubled;
        self.hung_up += other.hung_up;
        self.crashes += other.crashes;
        self.resets += other.resets;
        self.new_lives += other.new_lives;
        self.conflicts += other.conflicts;
        self.virtual_ms += other.virtual_ms;
    }

    pub(super) fn print(&self) {
        line("sync_sim_edits", self.edits as f64, "edits", "on robots and in the cloud");
        line("sync_sim_frames", self.frames as f64, "frames", "");
        line("sync_sim_dropped", self.dropped as f64, "frames", "");
        line("sync_sim_doubled", self.doubled as f64, "frames", "");
        line("sync_sim_hung_up", self.hung_up as f64, "times", "a frame was too large for the connection");
        line("sync_sim_crashes", self.crashes as f64, "times", "");
        line("sync_sim_resets", self.resets as f64, "scopes", "began from nothing");
        line("sync_sim_new_lives", self.new_lives as f64, "times", "a copy of a card was told apart");
        line("sync_sim_conflicts", self.conflicts as f64, "values", "lost and kept");
        line("sync_sim_virtual_days", self.virtual_ms as f64 / 86_400_000.0, "days", "");
    }
}

/// One figure on standard output.
pub(super) fn line(figure: &str, value: f64, unit: &str, note: &str) {
    let value = (value * 1000.0).round() / 1000.0;
    println!("{}", serde_json::json!({ "figure": figure, "value": value, "unit": unit, "note": note }));
}
