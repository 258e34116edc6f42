//! The robot's end of sync: what is written goes to an outbox in the same transaction, what the server says comes as pages, and
//! each row shows the one over the other. It merges nothing: that is the server's.
//!
//! A robot that is not paired keeps no outbox, and nothing here costs it anything.

mod apply;
mod conflicts;
mod log;
mod pair;
mod show;
#[cfg(test)]
mod sim;
mod state;
mod status;
#[cfg(test)]
mod tests;

use cloud_sync_protocol::store::{StoreError, Stored};
use cloud_sync_protocol::sync::op::Op;
use cloud_sync_protocol::sync::replica::{Change, Durable};

use crate::fail::Fail;
use crate::store::Store;
use crate::writer::Room;

pub(crate) use log::log;

/// Operations of one frame at most.
const OPS_MAX: u32 = 2048;

impl Store {
    /// Where the robot stands with its cloud; `None` while it is not paired.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where the file cannot be read.
    pub async fn sync_state(&self) -> Stored<Option<Durable>> {
        self.read(|connection| Ok(state::durable(connection)?)).await
    }

    /// Operations from number `from` on: at least one where there is one, at most about `bytes_max` bytes of them.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where the file cannot be read.
    pub async fn outbox(&self, from: u64, bytes_max: usize) -> Stored<Vec<Op>> {
        self.read(move |connection| log::read(connection, from, bytes_max)).await
    }

    /// The sum of the outbox up to an operation that is still in it, see [`Op::chain`].
    ///
    /// # Errors
    /// [`StoreError::Failed`] where the file cannot be read.
    pub async fn chain_at(&self, seq: u64) -> Stored<Option<u64>> {
        self.read(move |connection| Ok(log::chain_at(connection, seq)?)).await
    }

    /// Keeps what an answer of the server means, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Full`] where a page does not fit: nothing of it is kept, and it can be asked for again. `Failed`, as every
    /// write.
    pub async fn apply_change(&self, change: Change) -> Stored<()> {
        // Also on a full disk an acknowledgement makes room, and so does a page of deletions.
        let room = match &change {
            Change::Page(page) if page.items.iter().any(|item| !item.is_deleted) => Room::Takes,
            _ => Room::Makes,
        };
        self.write(room, move |write| apply::apply(write, &change)).await
    }

    /// Belongs to `user` in `town` from now on, under the name `device`: rows of the owner become his, and everything that is
    /// there is queued for the cloud, all in one transaction. Again with the same three: nothing happens; with another name, it
    /// has that.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where it belongs to another user or town: that must be forgotten first.
    pub async fn pair(&self, town: &str, device: &str, user: &str) -> Stored<()> {
        let (town, device, user) = (town.to_owned(), device.to_owned(), user.to_owned());
        self.write(Room::Takes, move |write| pair::pair(write, &town, &device, &user)).await
    }

    /// Belongs to nobody again: the rows of the paired owner and his town, and the place in sync, are gone.
    ///
    /// # Errors
    /// [`StoreError::Failed`], as every write.
    pub async fn forget_pairing(&self) -> Stored<()> {
        self.write(Room::Makes, pair::forget).await
    }
}

/// A value in the file that nobody of us wrote.
fn strange(what: &str) -> Fail {
    StoreError::Failed(format!("its file holds {what} that no version of this program writes")).into()
}
