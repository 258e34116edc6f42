//! Commands that wait for their acknowledgement: at most four under way, repeated after 25 ms, 50, 100, 200, then lost.
//!
//! Each kind of order has one place where the newest waits, and at most one of it is under way, so nothing can pile up
//! and an older order never overtakes a newer one.

use firmware_bridge_link::message::{Command, CommandFrame, Reply};

/// Commands under way at a time.
const WINDOW: usize = 4;
/// Sendings of one command.
const TRIES: u8 = 4;
/// Pause before the second sending; it doubles with each, us.
const RETRY_US: u64 = 25_000;

/// Where an order waits. One of each at a time, the first listed goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Disarm,
    ClearEStop,
    /// The next step towards armed: clear or arm.
    Step,
    Tighten,
    Motion,
    Senses,
    Head,
    Lights,
}

const PLACES: usize = Place::Lights as usize + 1;

impl Place {
    /// What the handshake consists of.
    pub(crate) const SETUP: [Self; 3] = [Self::Tighten, Self::Motion, Self::Senses];

    /// Of these only the newest counts: it takes the place of one that has to be repeated.
    const NEWEST_WINS: [Self; 2] = [Self::Head, Self::Lights];

    fn is_one_of(index: usize, places: &[Self]) -> bool {
        places.iter().any(|place| *place as usize == index)
    }
}

/// Which orders may go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    /// Only those of the handshake.
    Setup,
    /// All.
    All,
}

/// What waits and what is under way.
#[derive(Clone, Debug)]
pub(crate) struct Commands {
    next_id: u16,
    waiting: [Option<Command>; PLACES],
    under_way: [Option<UnderWay>; PLACES],
}

#[derive(Clone, Copy, Debug)]
struct UnderWay {
    frame: CommandFrame,
    tries: u8,
    retry_us: u64,
}

impl Commands {
    pub(crate) fn new() -> Self {
        Self { next_id: 0, waiting: [None; PLACES], under_way: [None; PLACES] }
    }

    /// Ids go on from `id`. An MCU remembers the ids of an earlier run of this program for a while.
    pub(crate) fn start_at(&mut self, id: u16) {
        self.next_id = id;
    }

    /// A new id, also for stops.
    pub(crate) fn new_id(&mut self) -> u16 {
        self.next_id = self.next_id.wrapping_add(1);
        self.next_id
    }

    /// Takes the newest order of its kind.
    pub(crate) fn put(&mut self, place: Place, command: Command) {
        self.waiting[place as usize] = Some(command);
    }

    /// Whether an order of this kind waits or is under way.
    pub(crate) fn holds(&self, place: Place) -> bool {
        self.waiting[place as usize].is_some() || self.under_way[place as usize].is_some()
    }

    /// Gives up an order of this kind.
    pub(crate) fn drop_one(&mut self, place: Place) {
        self.waiting[place as usize] = None;
        self.under_way[place as usize] = None;
    }

    /// Gives up everything; how many commands that were.
    pub(crate) fn drop_all(&mut self) -> usize {
        let dropped = self.waiting.iter().flatten().count() + self.under_way.iter().flatten().count();
        self.waiting = [None; PLACES];
        self.under_way = [None; PLACES];
        dropped
    }

    /// Gives up what had its last try and no answer; how many commands that were.
    pub(crate) fn expire(&mut self, now_us: u64) -> usize {
        let over = |command: &&mut Option<UnderWay>| {
            command.is_some_and(|command| command.tries >= TRIES && command.retry_us <= now_us)
        };
        self.under_way.iter_mut().filter(over).map(|command| *command = None).count()
    }

    /// The next command to send: one to repeat, else one that waits.
    pub(crate) fn take(&mut self, now_us: u64, open: Open) -> Option<CommandFrame> {
        self.repeat(now_us).or_else(|| self.start(now_us, open))
    }

    fn repeat(&mut self, now_us: u64) -> Option<CommandFrame> {
        let due = |command: &UnderWay| command.tries < TRIES && command.retry_us <= now_us;
        let index = self.under_way.iter().position(|command| command.as_ref().is_some_and(due))?;
        if Place::is_one_of(index, &Place::NEWEST_WINS)
            && let Some(newer) = self.waiting[index].take()
        {
            return Some(self.send(index, newer, now_us));
        }
        let command = self.under_way[index].as_mut()?;
        command.retry_us = now_us + (RETRY_US << command.tries);
        command.tries += 1;
        Some(command.frame)
    }

    fn start(&mut self, now_us: u64, open: Open) -> Option<CommandFrame> {
        let index = self.startable(open)?;
        let command = self.waiting[index].take()?;
        Some(self.send(index, command, now_us))
    }

    fn startable(&self, open: Open) -> Option<usize> {
        if self.under_way.iter().flatten().count() >= WINDOW {
            return None;
        }
        (0..PLACES).find(|&index| {
            let open = open == Open::All || Place::is_one_of(index, &Place::SETUP);
            open && self.waiting[index].is_some() && self.under_way[index].is_none()
        })
    }

    fn send(&mut self, index: usize, command: Command, now_us: u64) -> CommandFrame {
        let frame = CommandFrame { id: self.new_id(), command };
        self.under_way[index] = Some(UnderWay { frame, tries: 1, retry_us: now_us + RETRY_US });
        frame
    }

    /// When [`Commands::take`] or [`Commands::expire`] has something to do, host us.
    pub(crate) fn next_us(&self, open: Open) -> Option<u64> {
        if self.startable(open).is_some() {
            return Some(0);
        }
        self.under_way.iter().flatten().map(|command| command.retry_us).min()
    }

    /// The command that this reply answers; `None` when it was answered or given up before.
    pub(crate) fn answered(&mut self, reply: &Reply) -> Option<Command> {
        let matches = |command: &UnderWay| command.frame.id == reply.id;
        let place = self.under_way.iter_mut().find(|command| command.as_ref().is_some_and(matches))?;
        place.take().map(|command| command.frame.command)
    }
}

#[cfg(test)]
mod tests {
    use firmware_bridge_link::message::Outcome;

    use super::*;

    fn lights(brightness: u8) -> Command {
        Command::Lights { rgb: [0; 3], brightness }
    }

    fn answer(id: u16) -> Reply {
        Reply { id, outcome: Outcome::Done }
    }

    fn sent(commands: &mut Commands, now_ms: u64) -> Vec<CommandFrame> {
        std::iter::from_fn(|| commands.take(now_ms * 1_000, Open::All)).collect()
    }

    #[test]
    fn an_unanswered_command_goes_out_four_times_with_one_id_and_is_then_lost() {
        let mut commands = Commands::new();
        commands.put(Place::Disarm, Command::Disarm);
        let mut times = Vec::new();
        let mut lost_at = None;
        for ms in 0..1_000 {
            if commands.expire(ms * 1_000) > 0 {
                lost_at = Some(ms);
            }
            for frame in sent(&mut commands, ms) {
                assert_eq!(frame, CommandFrame { id: 1, command: Command::Disarm });
                times.push(ms);
            }
        }
        assert_eq!(times, [0, 25, 75, 175]);
        assert_eq!(lost_at, Some(375));
        assert!(!commands.holds(Place::Disarm));
    }

    #[test]
    fn at_most_four_are_under_way() {
        let mut commands = Commands::new();
        commands.put(Place::Disarm, Command::Disarm);
        commands.put(Place::Step, Command::Arm { boot_id: 1 });
        commands.put(Place::Head, Command::Head { pan_rad: 0.0, tilt_rad: 0.0 });
        commands.put(Place::Lights, lights(1));
        commands.put(Place::Motion, Command::Disarm);
        let first = sent(&mut commands, 0);
        assert_eq!(first.iter().map(|frame| frame.id).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(commands.answered(&answer(2)), Some(Command::Arm { boot_id: 1 }));
        assert_eq!(commands.answered(&answer(2)), None, "an answer counts once");
        let next = sent(&mut commands, 1);
        assert_eq!(next, [CommandFrame { id: 5, command: lights(1) }]);
    }

    #[test]
    fn of_the_lights_only_the_newest_is_sent_after_an_answer() {
        let mut commands = Commands::new();
        (1..4).for_each(|brightness| commands.put(Place::Lights, lights(brightness)));
        assert_eq!(sent(&mut commands, 0), [CommandFrame { id: 1, command: lights(3) }]);
        (4..7).for_each(|brightness| commands.put(Place::Lights, lights(brightness)));
        assert_eq!(sent(&mut commands, 1), [], "one under way at a time");
        commands.answered(&answer(1));
        assert_eq!(sent(&mut commands, 2), [CommandFrame { id: 2, command: lights(6) }]);
    }

    #[test]
    fn instead_of_repeating_old_lights_the_newest_go_out() {
        let mut commands = Commands::new();
        commands.put(Place::Lights, lights(1));
        sent(&mut commands, 0);
        commands.put(Place::Lights, lights(2));
        assert_eq!(sent(&mut commands, 25), [CommandFrame { id: 2, command: lights(2) }]);
        assert_eq!(commands.answered(&answer(1)), None);
    }

    #[test]
    fn before_the_handshake_is_over_only_its_own_commands_go_out() {
        let mut commands = Commands::new();
        commands.put(Place::Step, Command::Arm { boot_id: 1 });
        assert_eq!(commands.take(0, Open::Setup), None);
        assert_eq!(commands.next_us(Open::Setup), None);
        commands.put(Place::Motion, Command::Disarm);
        assert_eq!(commands.next_us(Open::Setup), Some(0));
        assert!(commands.take(0, Open::Setup).is_some());
    }
}
