//! To whom the robot belongs: to itself, or to the town and the owner that pairing gave it, and under which name. It may change
//! while the program runs; whoever needs it asks each time, or waits for the change.

use std::sync::Arc;

use cloud_sync_api::home::{Home, SharedHome};
use cloud_sync_api::token_file::{OWNER, TokenFile, TokenFileError};
use tokio::sync::watch;

/// The robot's name, as it is now. All clones see a change at once.
#[derive(Clone, Debug)]
pub struct RobotName(watch::Sender<Arc<str>>);

impl RobotName {
    /// At first.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(watch::Sender::new(name.into()))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Arc<str> {
        self.0.borrow().clone()
    }
}

/// A handle on all of it.
#[derive(Clone, Debug)]
pub struct Belongs {
    home: SharedHome,
    robot: RobotName,
    own_name: Arc<str>,
    tokens: TokenFile,
}

/// The tokens do not follow.
#[derive(Debug, thiserror::Error)]
#[error("the tokens cannot be given to their new owner")]
pub struct BelongsError(#[from] TokenFileError);

impl Belongs {
    /// To nobody but the owner of a robot with this name, until somebody says otherwise.
    #[must_use]
    pub fn itself(robot: &str, tokens: TokenFile) -> Self {
        let home = SharedHome::new(Home::unpaired());
        Self { home, robot: RobotName::new(robot), own_name: robot.into(), tokens }
    }

    /// In which town, and whose.
    #[must_use]
    pub const fn home(&self) -> &SharedHome {
        &self.home
    }

    /// Under which name.
    #[must_use]
    pub const fn robot(&self) -> &RobotName {
        &self.robot
    }

    /// To `user` in `town`, as `robot`. Tokens of the owner become his.
    ///
    /// # Errors
    /// The tokens cannot be written; nothing has changed then.
    pub fn to(&self, town: &str, user: &str, robot: &str) -> Result<(), BelongsError> {
        self.tokens.rename_user(OWNER, user)?;
        self.show(Home { town: town.to_owned(), owner: user.to_owned() }, robot.into());
        Ok(())
    }

    /// To itself again. Tokens of the owner of before are gone; there is a new one in `DIR/owner-token`.
    ///
    /// # Errors
    /// The tokens cannot be written; nothing has changed then.
    pub fn to_nobody(&self, user: &str, now_unix_s: u64) -> Result<(), BelongsError> {
        self.tokens.forget_user(user, now_unix_s)?;
        self.show(Home::unpaired(), self.own_name.clone());
        Ok(())
    }

    fn show(&self, home: Home, robot: Arc<str>) {
        if self.home.now() != home {
            self.home.set(home);
        }
        if self.robot.now() != robot {
            self.robot.0.send_replace(robot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owners_tokens_follow_and_are_gone_with_him() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = TokenFile::in_dir(folder.path());
        tokens.first_start(1).unwrap();
        let users = || tokens.list().unwrap().into_iter().map(|one| one.user_id).collect::<Vec<_>>();
        let secret = || std::fs::read_to_string(tokens.owner_path()).unwrap();
        let first = secret();
        let belongs = Belongs::itself("robbie", tokens.clone());
        let mut changes = belongs.home().changes();
        belongs.to("home", "ann", "r2").unwrap();
        assert_eq!(users(), ["ann"]);
        assert_eq!(&*belongs.robot().now(), "r2");
        assert_eq!(changes.borrow_and_update().owner, "ann");
        assert_eq!(secret(), first, "the same secret, for whoever has it already");
        // Again: nothing happens, and nobody is told.
        belongs.to("home", "ann", "r2").unwrap();
        assert!(!changes.has_changed().unwrap());
        belongs.to_nobody("ann", 2).unwrap();
        assert_eq!(users(), ["owner"]);
        assert_ne!(secret(), first);
        assert_eq!((belongs.home().now(), &*belongs.robot().now()), (Home::unpaired(), "robbie"));
    }
}
