//! What happens next in a seed: people and programs write, and things go wrong.

use std::collections::BTreeMap;

use cloud_sync_protocol::conflict::restored;
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::note::PRIORITY_DEFAULT;
use cloud_sync_protocol::sync::op::{Field, RowKey, as_int, as_row, as_text, get};
use cloud_sync_protocol::sync::table::{Table, TableId, conflicts, mood_changes, notes, personality};

use super::clock::DAY_MS;
use super::edit::{Edit, fact, note, personality_of};
use super::picture::{self, Picture};
use super::world::{CLOUD_SITE, World};

impl World {
    /// One thing happens, and some time passes.
    pub(super) fn turn(&mut self) {
        let place = self.chance.place(self.robots.len());
        if self.chance.percent(self.setup.trouble_percent) {
            self.trouble(place);
        } else if self.chance.between(0, 999) < self.setup.gaps_permille {
            self.gap();
        } else if self.robots[place].memory.durable().is_none() && self.chance.percent(10) {
            self.pair(place);
        } else if self.chance.percent(25) {
            self.app();
        } else if self.robots[place].is_on {
            self.person(place);
        }
        let ms = match self.chance.between(0, 9) {
            0..3 => self.chance.ms(0, 20),
            3..7 => self.chance.ms(10, 2_000),
            7..9 => self.chance.ms(1_000, 60_000),
            _ => self.chance.ms(60_000, 3_600_000),
        };
        self.pass(ms);
    }

    fn trouble(&mut self, place: usize) {
        let (now_ms, chance) = (self.now_ms, &mut self.chance);
        let robot = &mut self.robots[place];
        match chance.between(0, 19) {
            0..4 => {
                self.figures.crashes += 1;
                robot.crash(now_ms, chance);
            }
            4..6 => {
                self.figures.crashes += 1;
                robot.reboot(now_ms, chance);
            }
            6..8 => robot.clock.is_set(chance),
            8 => robot.clock.is_left_alone(chance),
            9..12 => {
                robot.is_linked = !robot.is_linked;
                robot.begin(now_ms, chance);
            }
            12..14 => {
                self.net.cut(place);
                robot.begin(now_ms, chance);
            }
            14 | 15 => {
                robot.is_on = !robot.is_on;
                if robot.is_on {
                    robot.reboot(now_ms, chance);
                }
            }
            16 => self.server.cloud.purge(now_ms),
            17 if self.setup.has_copies => self.copy(place),
            18 if self.setup.has_copies => self.go_back(),
            _ => {}
        }
    }

    /// Somebody copies a card: keeps it, or puts it into another robot at once.
    fn copy(&mut self, place: usize) {
        // Two cards that were never paired are two robots that tell the same; nobody can know that.
        if self.robots[place].memory.durable().is_none() {
            return;
        }
        let copy = self.robots[place].copy(self.now_ms, &mut self.chance);
        if self.robots.len() < 6 && self.chance.percent(60) {
            self.note(|| format!("{place} is copied, and the copy goes on as well"));
            self.robots.push(copy);
        } else {
            self.note(|| format!("{place} is copied, and the copy kept"));
            self.card = Some((place, copy, self.now_ms));
        }
    }

    /// A card is replaced by the copy that was kept.
    fn go_back(&mut self) {
        let Some((place, copy, since_ms)) = self.card.take() else { return };
        self.note(|| format!("{place} is replaced by its copy"));
        self.robots[place] = copy;
        self.robots[place].reboot(self.now_ms, &mut self.chance);
        self.history.is_lost_with_its_card(place, since_ms);
    }

    /// Nobody writes for a while, and some robots are off.
    fn gap(&mut self) {
        let ms = if self.chance.percent(50) { self.days(60) } else { self.days(3) };
        self.note(|| format!("a gap of {} days", ms / DAY_MS));
        let mut off = Vec::new();
        for place in 0..self.robots.len() {
            if self.robots[place].is_on && self.chance.percent(50) {
                self.robots[place].is_on = false;
                off.push(place);
            }
        }
        let parts = self.chance.ms(1, 4);
        for _ in 0..parts {
            self.pass(ms / parts);
            if self.chance.percent(60) {
                self.server.cloud.purge(self.now_ms);
            }
            if self.chance.percent(50) {
                self.app();
            }
        }
        for place in off {
            self.robots[place].is_on = true;
            self.robots[place].reboot(self.now_ms, &mut self.chance);
        }
    }

    /// Somebody writes on a robot.
    fn person(&mut self, place: usize) {
        let user = self.robots[place].user.clone();
        let shown = |table| self.robots[place].memory.shown(table);
        let pictures = Table::ALL.map(|table| (table.id(), shown(table))).into_iter().collect();
        for edit in self.wish(&user, &pictures) {
            // A robot forgets no fact.
            if matches!(edit, Edit::DeleteFact { .. }) {
                continue;
            }
            let edited = edit.edited();
            let before = self.robots[place].memory.row(edited.key(&user));
            let now = self.robots[place].clock.now(self.now_ms);
            let is_cut = self.chance.percent(self.setup.trouble_percent) && self.chance.percent(10);
            let is_done = self.robots[place].memory.edit(&edit, now, is_cut);
            self.note(|| format!("{place} is asked for {edit:?}: {is_done}"));
            if is_cut {
                self.figures.crashes += 1;
                self.robots[place].reboot(self.now_ms, &mut self.chance);
                return;
            }
            assert!(is_done, "a robot refuses {edit:?}");
            self.figures.edits += 1;
            self.record(place, &user, edited, before, self.robots[place].memory.row(edited.key(&user)));
            if let Edit::Mood { .. } = edit {
                self.record_moods(place, pictures.get(&Table::MoodChanges.id()));
            }
            self.robots[place].wake(self.now_ms);
        }
    }

    /// An app writes in the cloud.
    fn app(&mut self) {
        let place = self.chance.place(self.robots.len());
        let user = self.robots[place].user.clone();
        let scopes = cloud_sync_protocol::sync::server::scopes_of(&user);
        let pictures: BTreeMap<TableId, Picture> = Table::ALL
            .map(|table| (table.id(), picture::of_cloud(&self.server.cloud, table, &scopes)))
            .into_iter()
            .collect();
        let heads = self.heads();
        for edit in self.wish(&user, &pictures) {
            let key = edit.edited().key(&user);
            let row =
                |pictures: &BTreeMap<TableId, Picture>| pictures.get(&key.table)?.get(&key.row).cloned();
            let before = row(&pictures);
            let is_there = before.is_some();
            let stamp = cloud_sync_protocol::sync::op::stamp_of(0, 0, self.now_ms, 0);
            for op in edit.ops(&user, is_there, stamp) {
                self.server.cloud.write(&user, &op, self.now_ms);
                self.history.write(
                    CLOUD_SITE,
                    self.now_ms,
                    op.key,
                    &op.fields,
                    before.as_deref().filter(|_| op.key == key),
                );
            }
            self.note(|| format!("the cloud is asked for {edit:?}"));
            self.figures.edits += 1;
            if edit.is_delete() {
                self.history.delete(CLOUD_SITE, self.now_ms, key, before.unwrap_or_default());
                self.dies(key);
            }
        }
        self.poke(&heads);
    }

    fn record(
        &mut self,
        place: usize,
        user: &str,
        edit: &Edit,
        before: Option<Vec<Field>>,
        after: Option<Vec<Field>>,
    ) {
        let key = edit.key(user);
        if edit.is_delete() {
            assert!(after.is_none(), "what was deleted is still shown");
            self.history.delete(place, self.now_ms, key, before.unwrap_or_default());
            return;
        }
        let mut fields = edit.fields();
        let after = after.unwrap_or_else(|| panic!("{edit:?} is not shown"));
        for field in &fields {
            assert_eq!(get(&after, field.id), Some(&*field.value), "{edit:?} is not what is shown");
        }
        // What fades in between is written along.
        if let (Edit::Mood { .. }, Some(energy)) = (edit, get(&after, personality::ENERGY)) {
            fields = vec![Field { id: personality::ENERGY, value: energy.to_vec() }];
        }
        self.history.write(place, self.now_ms, key, &fields, before.as_deref());
    }

    fn record_moods(&mut self, place: usize, before: Option<&Picture>) {
        let table = Table::MoodChanges.id();
        for (row, fields) in self.robots[place].memory.shown(Table::MoodChanges) {
            if before.is_none_or(|before| !before.contains_key(&row)) {
                let fields: Vec<Field> =
                    fields.into_iter().filter(|field| field.id == mood_changes::REASON).collect();
                self.history.write(place, self.now_ms, RowKey { table, row }, &fields, None);
            }
        }
    }

    /// What somebody wants, who sees these rows.
    fn wish(&mut self, user: &str, shown: &BTreeMap<TableId, Picture>) -> Vec<Edit> {
        let rows = |table: Table| &shown[&table.id()];
        let (notes, facts) = (rows(Table::Notes), rows(Table::Facts));
        let open: Vec<RowId> = rows(Table::Conflicts)
            .iter()
            .filter(|(_, fields)| get(fields, conflicts::STATE).and_then(as_int) == Some(0))
            .map(|(row, _)| *row)
            .collect();
        let any = |world: &mut Self, rows: &Picture| {
            let place = world.chance.place(rows.len());
            *rows.keys().nth(place).expect("there are some")
        };
        match self.chance.between(0, 29) {
            0..5 => vec![self.new_note()],
            _ if notes.is_empty() && facts.is_empty() => vec![self.new_note()],
            5..16 if !notes.is_empty() => {
                // The oldest few, so that people meet there.
                let place = self.chance.place(notes.len().min(self.setup.notes));
                vec![self.change_note(*notes.keys().nth(place).expect("there are some"))]
            }
            16 if !notes.is_empty() => vec![Edit::SurfaceNote { id: any(self, notes) }],
            17 | 18 if !notes.is_empty() => vec![Edit::DeleteNote { id: any(self, notes) }],
            19 => vec![Edit::NewFact { id: self.new_id(), content: self.text() }],
            20 | 21 if !facts.is_empty() => {
                vec![Edit::ChangeFact { id: any(self, facts), content: self.text() }]
            }
            22 if !facts.is_empty() => vec![Edit::DeleteFact { id: any(self, facts) }],
            23 | 24 => {
                let conversation = RowId::named(&format!("{user} talks {}", self.chance.between(0, 2)));
                vec![Edit::NewTurn { id: self.new_id(), conversation, text: self.text() }]
            }
            25 | 26 => {
                let wished = self.chance.between(0, 100);
                let Some(energy) = self.history.number(personality_of(user), personality::ENERGY, wished)
                else {
                    return Vec::new();
                };
                vec![Edit::Mood { energy, reason: self.tag() }]
            }
            _ if !open.is_empty() => {
                let conflict = self.chance.pick(&open);
                vec![self.settle(conflict, &rows(Table::Conflicts)[&conflict], notes, facts)]
            }
            _ => vec![self.new_note()],
        }
    }

    /// Either what stands is right, or the other is written once more.
    fn settle(&mut self, conflict: RowId, fields: &[Field], notes: &Picture, facts: &Picture) -> Edit {
        let number = |field| get(fields, field).and_then(as_int);
        let text = || get(fields, conflicts::OTHER).and_then(as_text).map(str::to_owned);
        let (Some(id), Some(content), true) =
            (get(fields, conflicts::ROW).and_then(as_row), text(), self.chance.percent(50))
        else {
            return Edit::Settle { conflict, other: None };
        };
        let table = number(conflicts::TABLE).and_then(|table| Table::of(TableId(table as u16)));
        let is_content = number(conflicts::FIELD) == Some(1);
        // Somebody brought it back before.
        let is_back = notes.contains_key(&restored(conflict)) || facts.contains_key(&restored(conflict));
        let other = match table {
            _ if is_back => None,
            Some(Table::Notes) if is_content && notes.contains_key(&id) => {
                Some(Edit::ChangeNote { id, content: Some(content), tags: None, priority: None })
            }
            Some(Table::Notes) if is_content => Some(Edit::NewNote {
                id: restored(conflict),
                content,
                tags: Vec::new(),
                priority: PRIORITY_DEFAULT,
            }),
            Some(Table::Facts) if is_content && facts.contains_key(&id) => {
                Some(Edit::ChangeFact { id, content })
            }
            Some(Table::Facts) if is_content => Some(Edit::NewFact { id: restored(conflict), content }),
            _ => None,
        };
        self.history.bring_back(note(restored(conflict)));
        self.history.bring_back(fact(restored(conflict)));
        Edit::Settle { conflict, other: other.map(Box::new) }
    }

    fn new_note(&mut self) -> Edit {
        let id = self.new_id();
        let (content, tags, priority) = (self.text(), vec![self.tag()], self.priority(id).unwrap_or(50));
        Edit::NewNote { id, content, tags, priority }
    }

    fn change_note(&mut self, id: RowId) -> Edit {
        let (mut content, mut tags, mut priority) = (None, None, None);
        match self.chance.between(0, 9) {
            0..5 => content = Some(self.text()),
            5 | 6 => tags = Some(vec![self.tag()]),
            7 => priority = self.priority(id),
            _ => (content, tags) = (Some(self.text()), Some(vec![self.tag()])),
        }
        if content.is_none() && tags.is_none() && priority.is_none() {
            content = Some(self.text());
        }
        Edit::ChangeNote { id, content, tags, priority }
    }

    fn priority(&mut self, id: RowId) -> Option<u8> {
        let wished = self.chance.between(0, 100);
        self.history.number(note(id), notes::PRIORITY, wished)
    }

    /// A text that nobody has written before.
    fn text(&mut self) -> String {
        self.values += 1;
        let mut text = format!("text {}", self.values);
        // Long ones do not become short when they are packed.
        let most = if self.chance.percent(30) { self.setup.text_bytes } else { 0 };
        while text.len() + 16 < most {
            text += &format!("{:016x}", self.chance.bits());
        }
        text
    }

    fn tag(&mut self) -> String {
        self.values += 1;
        format!("tag {}", self.values)
    }

    fn new_id(&mut self) -> RowId {
        RowId::from_bytes(self.chance.id().to_be_bytes())
    }
}
