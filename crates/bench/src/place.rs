//! Where runs take place: a folder for their files, their cores, their time.

use std::process::{Child, Command};
use std::time::{Duration, Instant};
use std::{env, fs, path::PathBuf, process, thread};

use peer_script::pin_to_cores;

use crate::Result;

/// A run that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// What all runs have in common.
pub(crate) struct Place {
    /// For the sockets of `ipc` endpoints; removed at the end.
    folder: PathBuf,
    /// Each end stays on a core of its own.
    pub(crate) pinned: bool,
}

impl Place {
    pub(crate) fn new(pinned: bool) -> Result<Place> {
        let folder = env::temp_dir().join(format!("zmq-bench-{}", process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Place { folder, pinned })
    }

    /// What to bind to; the binder says what became of it.
    pub(crate) fn endpoint(&self, transport: &str) -> String {
        match transport {
            "ipc" => {
                let path = self.folder.join("socket");
                // The previous run may have left it.
                let _ = fs::remove_file(&path);
                format!("ipc://{}", path.display())
            }
            "tcp" => "tcp://127.0.0.1:0".to_owned(),
            // The worker knows its name.
            _ => "-".to_owned(),
        }
    }

    /// When a run that starts now must have ended.
    pub(crate) fn deadline() -> Instant {
        Instant::now() + PATIENCE
    }

    /// Starts a program that stays on these cores, if runs are pinned.
    pub(crate) fn spawn(&self, command: &mut Command, cores: &[usize]) -> Result<Child> {
        if !self.pinned {
            return Ok(command.spawn()?);
        }
        // A child has the cores of the thread that starts it, which is one of its own: the others stay where they are.
        let spawned = thread::scope(|scope| {
            let starter = scope.spawn(|| pin_to_cores(cores).and_then(|()| command.spawn()));
            starter.join()
        });
        Ok(spawned.map_err(|_| "the thread that starts programs panicked")??)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // It is a temporary folder: somebody else will tidy up.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
