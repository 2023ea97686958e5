//! The folder of `--data`: one process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// Locked while somebody uses the folder; it holds the process id of whoever does, or did last.
const LOCK_FILE: &str = "in-use";

/// A folder that nobody else uses. The machine gives the lock back however the process ends.
#[derive(Debug)]
pub(crate) struct Folder {
    _lock: File,
}

impl Folder {
    /// Creates the folder if it is not there, and takes it.
    ///
    /// # Errors
    /// Says who has it and what to do about that, or what the machine said.
    pub(crate) fn take(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be created", folder.display()))?;
        let file = folder.join(LOCK_FILE);
        let unusable = || format!("{} cannot be used", file.display());
        let mut lock = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&file).with_context(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("{}", taken(folder, &mut lock)),
            Err(TryLockError::Error(error)) => return Err(error).with_context(unusable),
        }
        lock.set_len(0).with_context(unusable)?;
        write!(lock, "{}", std::process::id()).with_context(unusable)?;
        Ok(Self { _lock: lock })
    }
}

fn taken(folder: &Path, lock: &mut File) -> String {
    let mut by = String::new();
    // Where a lock keeps others from reading, nobody can say who it is.
    let who = match lock.read_to_string(&mut by).map(|_| by.trim().parse::<u32>()) {
        Ok(Ok(pid)) => format!("the process {pid}"),
        _ => "another process".to_owned(),
    };
    format!("{} is in use by {who}, most likely another `cargo dev`; end it, or choose another folder with --data", folder.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_user_at_a_time_and_the_second_is_told_who_that_is() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("data");
        let first = Folder::take(&folder).unwrap();
        let why = Folder::take(&folder).unwrap_err().to_string();
        assert!(why.contains(&format!("in use by the process {}", std::process::id())) && why.contains("--data"), "{why}");
        drop(first);
        Folder::take(&folder).unwrap();
    }

    #[test]
    fn what_a_process_that_was_killed_left_behind_keeps_nobody_out() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(LOCK_FILE), "4294967295").unwrap();
        let _taken = Folder::take(folder.path()).unwrap();
        let left = std::fs::read_to_string(folder.path().join(LOCK_FILE)).unwrap();
        assert_eq!(left, std::process::id().to_string());
    }
}
