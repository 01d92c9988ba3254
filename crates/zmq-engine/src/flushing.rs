//! What has gathered before links is written: for a caller who is about to wait, for a thread at the end of its round, and with the
//! driver's tick.
//!
//! Each locks the socket, so that what was bundled is in the pipes, and says of each pipe what is to become of it before it lets the lock
//! go: whoever holds the link sees that in its last look.

use std::sync::Arc;

use zmq_patterns::PeerKey;

use crate::core::Core;
use crate::effects::Effects;
use crate::pipe::Pace;
use crate::shared::SocketShared;

impl SocketShared {
    /// Writes what bursts have left in the queues: the caller is about to wait.
    pub(crate) fn flush(self: &Arc<Self>) {
        let mut effects = Effects::default();
        let mut core = self.lock();
        if core.bursts.hot().is_empty() {
            return;
        }
        for key in core.bursts.hot().to_vec() {
            if let Some(pipe) = core.pipe(key)
                && !pipe.out.is_empty()
                && !pipe.stalled
                && let Some(link) = pipe.link().map(Arc::clone)
            {
                pipe.flush_wanted = true;
                effects.pump.push(link);
            }
        }
        drop(core);
        self.run(effects);
    }

    /// Writes what waits, and lets no more gather.
    pub(crate) fn cool(self: &Arc<Self>) {
        if self.ctx.is_foreign_process() {
            // The parent's thread went round, and the parent writes it.
            return;
        }
        let mut effects = Effects::default();
        let mut core = self.lock();
        for key in core.bursts.end_all() {
            let Some(pipe) = core.pipe(key) else { continue };
            pipe.pace = Pace::Idle;
            if !pipe.out.is_empty()
                && !pipe.stalled
                && let Some(link) = pipe.link().map(Arc::clone)
            {
                effects.pump.push(link);
            }
        }
        drop(core);
        self.run(effects);
    }

    /// The driver looks after pipes in a burst: writes what waits, and cools those that have gone quiet. Gives the number of links that
    /// were written to; nothing if no pipe is hot any more, and the driver forgets the socket until it is told of it anew.
    pub(crate) fn tick(self: &Arc<Self>) -> Option<usize> {
        let mut effects = Effects::default();
        let mut core = self.lock();
        let mut bursts = std::mem::take(&mut core.bursts);
        let goes_on = bursts.tick(|key| core.look_after(*key, &mut effects));
        core.bursts = bursts;
        drop(core);
        let links = effects.pump.len();
        self.run(effects);
        goes_on.then_some(links)
    }
}

impl Core {
    /// Has what waits in a pipe in a burst written. Says whether the burst goes on.
    fn look_after(&mut self, key: PeerKey, effects: &mut Effects) -> bool {
        let Some(pipe) = self.pipe(key) else {
            return false;
        };
        let waits = !pipe.out.is_empty();
        let fresh = std::mem::replace(&mut pipe.fresh, false);
        if pipe.stalled || (!fresh && !waits) {
            pipe.pace = Pace::Idle;
            return false;
        }
        if waits && let Some(link) = pipe.link().map(Arc::clone) {
            pipe.flush_wanted = true;
            effects.pump.push(link);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, ContextOptions, DriverMode, Socket, SocketOptions, SocketType};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::task::{Wake, Waker};
    use std::time::Duration;

    struct Fault;

    impl Wake for Fault {
        fn wake(self: Arc<Self>) {
            panic!("a waker of the application");
        }
    }

    #[test]
    fn the_driver_hears_of_a_burst_although_the_one_who_began_it_panics() {
        let context = Context::with(ContextOptions {
            driver: DriverMode::Manual,
            ..ContextOptions::default()
        })
        .unwrap();
        let options = SocketOptions::default();
        let socket = Socket::open(&context, SocketType::Pair, options).unwrap();
        let watcher = socket.watcher();
        watcher.set_waker(&Waker::from(Arc::new(Fault)));
        let mut effects = Effects::default();
        effects.wake = true;
        effects.tick = socket.shared.lock().bursts.begin(PeerKey(0));
        assert!(effects.tick);
        let run = AssertUnwindSafe(|| socket.shared.run(effects));
        assert!(catch_unwind(run).is_err());
        context.turn(Duration::ZERO);
        let mut core = socket.shared.lock();
        assert!(core.bursts.hot().is_empty(), "the tick found no such pipe");
        assert!(core.bursts.begin(PeerKey(0)), "the driver is told anew");
    }
}
