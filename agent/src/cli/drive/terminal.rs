//! The terminal: raw while `drive` runs, as it was before afterwards, however that ends.

use std::io::{self, IsTerminal, Write};
use std::sync::Once;

use crossterm::event::{
    DisableFocusChange, EnableFocusChange, Event, KeyboardEnhancementFlags, PopKeyboardEnhancementFlags,
    PushKeyboardEnhancementFlags,
};
use crossterm::style::Print;
use crossterm::{cursor, event, execute, queue, terminal};
use tokio::sync::mpsc::{Receiver, channel};

use super::hold::Reports;
use cloud_sync_api::failure::Failure;

/// Key events that may wait. A person types far fewer.
const EVENTS: usize = 64;

/// A raw terminal; dropping it restores it.
#[derive(Debug)]
pub(super) struct Terminal {
    reports: Reports,
    shown: Vec<String>,
}

impl Terminal {
    pub(super) fn open() -> Result<Self, Failure> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(Failure::Usage(
                "`drive` needs a terminal to read keys from and to draw on".to_owned(),
            ));
        }
        restore_on_panic();
        let mut terminal = Self { reports: Reports::PressesOnly, shown: Vec::new() };
        terminal.enter().map_err(|error| Failure::Usage(format!("cannot use this terminal: {error}")))?;
        Ok(terminal)
    }

    fn enter(&mut self) -> io::Result<()> {
        terminal::enable_raw_mode()?;
        execute!(io::stdout(), terminal::EnterAlternateScreen, cursor::Hide, EnableFocusChange)?;
        if terminal::supports_keyboard_enhancement().unwrap_or(false) {
            self.reports = Reports::Releases;
            // All keys as escape codes: else letters and space come as plain text, without their release.
            let flags = KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES
                | KeyboardEnhancementFlags::REPORT_EVENT_TYPES
                | KeyboardEnhancementFlags::REPORT_ALTERNATE_KEYS
                | KeyboardEnhancementFlags::REPORT_ALL_KEYS_AS_ESCAPE_CODES;
            execute!(io::stdout(), PushKeyboardEnhancementFlags(flags))?;
        }
        Ok(())
    }

    /// What this terminal tells of its keys.
    pub(super) fn reports(&self) -> Reports {
        self.reports
    }

    /// Starts to read events. The channel closes when the terminal is gone.
    pub(super) fn events() -> io::Result<Receiver<Event>> {
        let (sender, receiver) = channel(EVENTS);
        // It blocks in read until the next key; the end of the process ends it.
        std::thread::Builder::new().name("keys".to_owned()).spawn(move || {
            while let Ok(event) = event::read() {
                if sender.blocking_send(event).is_err() {
                    return;
                }
            }
        })?;
        Ok(receiver)
    }

    /// Draws the lines that changed.
    pub(super) fn draw(&mut self, lines: Vec<String>) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let rows = lines.len().max(self.shown.len());
        for row in 0..rows {
            if lines.get(row) == self.shown.get(row) {
                continue;
            }
            let at = u16::try_from(row).unwrap_or(u16::MAX);
            let text = lines.get(row).map(String::as_str).unwrap_or_default();
            queue!(
                out,
                cursor::MoveTo(0, at),
                terminal::Clear(terminal::ClearType::CurrentLine),
                Print(text)
            )?;
        }
        out.flush()?;
        self.shown = lines;
        Ok(())
    }

    /// Draws everything anew next time: the window changed its size.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        self.shown.clear();
        execute!(io::stdout(), terminal::Clear(terminal::ClearType::All))
    }
}

/// Columns of the window. One that does not know its size says 0.
pub(super) fn columns() -> usize {
    terminal::size()
        .ok()
        .map(|(columns, _)| usize::from(columns))
        .filter(|columns| *columns > 0)
        .unwrap_or(80)
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

/// Whatever of it fails, the rest still helps; and nobody is left to tell.
fn restore() {
    drop(execute!(io::stdout(), PopKeyboardEnhancementFlags));
    drop(execute!(io::stdout(), DisableFocusChange, cursor::Show, terminal::LeaveAlternateScreen));
    drop(terminal::disable_raw_mode());
}

/// A panic's message would be lost on the other screen, in raw mode.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            restore();
            before(info);
        }));
    });
}
