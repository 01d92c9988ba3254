//! A socket with two links whose messages gather: senders, the bundle, and the driver's tick.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::handover::{Bursts, Holding, Orders};
use crate::kernel::{self, File, Levels};
use crate::mirror::{Item, PeerKey};
use crate::poller::Signal;

/// `flush`, `cool` and `tick`, as the engine has them.
mod flushing {
    include!(concat!(env!("OUT_DIR"), "/flushing.rs"));
}

/// The links: so few that a bundle is for several.
const LINKS: u32 = 2;

/// `link::ROUNDS`: so few that the models come to it.
const ROUNDS: usize = 1;

/// `pace::FLUSH_MESSAGES`: so many that only the models come to it that mean to.
const FLUSH_MESSAGES: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    Idle,
    Hot,
}

/// How long ago the sender's last message was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// So long that this one is written at once.
    Alone,
    /// It follows another to this peer, or in the thread's round.
    Soon,
}

#[derive(Default)]
struct Effects {
    pump: Vec<Arc<Link>>,
    tick: bool,
}

/// `driver::Command`.
enum Command {
    Hot,
    Closing,
}

struct Pipe {
    link: Arc<Link>,
    out: Vec<Item>,
    in_flight: usize,
    pace: Pace,
    fresh: bool,
    flush_wanted: bool,
    /// The peer always takes more.
    stalled: bool,
}

/// `io::Io`.
#[derive(Default)]
struct Io {
    batch: Vec<Item>,
    /// What the kernel has.
    written: Vec<Item>,
}

struct Link {
    key: PeerKey,
    io: Holding<Io>,
}

struct Core {
    pipes: Vec<Pipe>,
    bursts: Bursts<PeerKey>,
    /// `Bundle`: what is for both.
    bundle: Vec<Item>,
    closing: bool,
}

/// `ContextShared`.
struct Context {
    commands: Orders<Command>,
    wake: Signal,
}

pub(crate) struct SocketShared {
    core: Mutex<Core>,
    ctx: Context,
    wake_file: File,
    /// All that is expected has left.
    left: File,
    missing: AtomicUsize,
}

impl Context {
    fn is_foreign_process(&self) -> bool {
        false
    }

    /// `ContextShared::command`. There is a driver as long as the model runs.
    fn command(&self, command: Command) {
        let _ = self.commands.add(command);
        self.wake.raise();
    }
}

impl Pipe {
    fn link(&self) -> Option<&Arc<Link>> {
        Some(&self.link)
    }

    fn flush_due(&self) -> bool {
        self.flush_wanted || self.out.len() >= FLUSH_MESSAGES
    }

    fn push_out(&mut self, item: Item) {
        self.out.push(item);
        self.fresh = true;
    }

    fn take_out(&mut self, batch: &mut Vec<Item>) {
        self.in_flight += self.out.len();
        batch.append(&mut self.out);
        self.flush_wanted = false;
    }
}

impl Core {
    fn pipe(&mut self, key: PeerKey) -> Option<&mut Pipe> {
        self.pipes.get_mut(key.0 as usize)
    }

    /// `Core::enqueue`.
    fn enqueue(&mut self, key: PeerKey, item: Item, sent: Sent, effects: &mut Effects) {
        let Some(pipe) = self.pipe(key) else { return };
        pipe.push_out(item);
        match pipe.pace {
            Pace::Idle if sent == Sent::Alone => effects.pump.push(Arc::clone(&pipe.link)),
            Pace::Idle => {
                pipe.pace = Pace::Hot;
                effects.tick |= self.bursts.begin(key);
            }
            Pace::Hot if pipe.flush_due() => effects.pump.push(Arc::clone(&pipe.link)),
            Pace::Hot => {}
        }
    }

    /// `Core::fan_out`, of messages that follow each other to the same targets.
    fn fan_out(&mut self, item: Item, effects: &mut Effects) {
        if !self.bundle.is_empty() || self.open_bundle() {
            self.bundle.push(item);
            if self.bundle.len() >= FLUSH_MESSAGES {
                self.close_bundle(Some(effects));
            }
            return;
        }
        for key in 0..LINKS {
            self.enqueue(PeerKey(key), item, Sent::Soon, effects);
        }
    }

    /// `Core::open_bundle`.
    fn open_bundle(&self) -> bool {
        let links = self
            .pipes
            .iter()
            .filter(|pipe| pipe.pace == Pace::Hot && !pipe.flush_wanted);
        links.count() > 1
    }

    /// `Core::close_bundle`, `deal_out` and `dealt`.
    fn close_bundle(&mut self, mut effects: Option<&mut Effects>) {
        let bundle = std::mem::take(&mut self.bundle);
        if bundle.is_empty() {
            return;
        }
        for pipe in &mut self.pipes {
            for item in &bundle {
                pipe.push_out(*item);
            }
            if let Some(effects) = &mut effects
                && pipe.flush_due()
            {
                effects.pump.push(Arc::clone(&pipe.link));
            }
        }
    }

    /// `Core::unsent_but`.
    fn unsent(&self) -> usize {
        let unsent = |pipe: &Pipe| pipe.out.len() + pipe.in_flight;
        self.pipes.iter().map(unsent).sum()
    }
}

impl SocketShared {
    /// A socket from which so many messages will leave, counted at each link.
    pub(crate) fn open(expected: usize) -> Arc<SocketShared> {
        let pipes = (0..LINKS).map(|key| Pipe {
            link: Arc::new(Link {
                key: PeerKey(key),
                io: Holding::new(Io::default()),
            }),
            out: Vec::new(),
            in_flight: 0,
            pace: Pace::Idle,
            fresh: false,
            flush_wanted: false,
            stalled: false,
        });
        let wake = Signal::new().unwrap();
        let wake_file = File::opened_last();
        Arc::new(SocketShared {
            core: Mutex::new(Core {
                pipes: pipes.collect(),
                bursts: Bursts::default(),
                bundle: Vec::new(),
                closing: false,
            }),
            ctx: Context {
                commands: Orders::new(),
                wake,
            },
            wake_file,
            left: File::open(),
            missing: AtomicUsize::new(expected),
        })
    }

    /// `SocketShared::lock`.
    fn lock(&self) -> MutexGuard<'_, Core> {
        let mut core = self.lock_amid();
        core.close_bundle(None);
        core
    }

    fn lock_amid(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap()
    }

    /// `SocketShared::enter`. Nobody leaves notices.
    fn enter(&self, effects: &mut Effects) -> MutexGuard<'_, Core> {
        let mut core = self.lock_amid();
        core.close_bundle(Some(effects));
        core
    }

    /// `SocketShared::run`.
    fn run(self: &Arc<Self>, effects: Effects) {
        for link in effects.pump {
            link.drive(self);
        }
        if effects.tick {
            self.ctx.command(Command::Hot);
        }
    }

    // ---- callers ----

    /// `Socket::offer`, of a message for one peer; `Core::fan_out` where those before it were for others, too.
    pub(crate) fn send(self: &Arc<Self>, key: u32, item: Item, sent: Sent) {
        let mut effects = Effects::default();
        let mut core = self.lock_amid();
        core.close_bundle(Some(&mut effects));
        core.enqueue(PeerKey(key), item, sent, &mut effects);
        drop(core);
        self.run(effects);
    }

    /// The same, of a message for all.
    pub(crate) fn publish(self: &Arc<Self>, item: Item) {
        let mut effects = Effects::default();
        let mut core = self.lock_amid();
        core.fan_out(item, &mut effects);
        drop(core);
        self.run(effects);
    }

    /// `Socket::take`, or any other verb but to send.
    pub(crate) fn look(self: &Arc<Self>) {
        let mut effects = Effects::default();
        drop(self.enter(&mut effects));
        self.run(effects);
    }

    /// `SocketShared::begin_close`.
    pub(crate) fn begin_close(self: &Arc<Self>) {
        let mut effects = Effects::default();
        let mut core = self.enter(&mut effects);
        core.closing = true;
        drop(core);
        self.run(effects);
        self.ctx.command(Command::Closing);
    }

    // ---- the driver ----

    /// `Driver::run` until all that is expected has left. A tick is due whenever the socket is on the list.
    pub(crate) fn run_driver(self: &Arc<Self>) {
        self.drive_until(|levels, _| levels.is(self.left));
    }

    /// `Driver::run` until the socket has ended, which it does once all has left.
    pub(crate) fn run_driver_to_the_end(self: &Arc<Self>) {
        self.drive_until(|_, ended| ended);
    }

    fn drive_until(self: &Arc<Self>, over: impl Fn(&Levels<'_>, bool) -> bool) {
        let (mut hot, mut closing, mut ended) = (Vec::new(), false, false);
        loop {
            let found = kernel::wait(|levels| {
                if over(levels, ended) {
                    return Some(None);
                }
                let woken = levels.is(self.wake_file);
                (woken || !hot.is_empty()).then_some(Some(woken))
            });
            let Some(woken) = found else { return };
            for command in self.ctx.commands.take(&self.ctx.wake, woken) {
                match command {
                    Command::Hot => hot.push(Arc::clone(self)),
                    Command::Closing => {
                        // `Driver::begin_closing`.
                        self.flush();
                        closing = true;
                    }
                }
            }
            // `Driver::tick`.
            hot.retain(|socket| socket.tick().is_some());
            // `Driver::close_finished`.
            ended = closing && self.lock().unsent() == 0;
            if !hot.is_empty() {
                loom::thread::yield_now();
            }
        }
    }

    /// When everybody is gone: what has left by each link.
    pub(crate) fn written(&self) -> [Vec<Item>; LINKS as usize] {
        let core = self.lock_amid();
        assert_eq!(core.unsent(), 0);
        assert!(core.bundle.is_empty());
        std::array::from_fn(|key| core.pipes[key].link.io.lock().written.clone())
    }
}

impl Link {
    /// `Link::drive` and `drive_held`.
    fn drive(&self, shared: &Arc<SocketShared>) {
        let Some(mut io) = self.io.try_lock() else {
            return;
        };
        for round in 0.. {
            self.write_turn(&mut io, shared);
            match self.let_go(io, shared, round) {
                Ok(effects) => return shared.run(effects),
                Err(held) => io = held,
            }
        }
    }

    /// `Link::let_go`.
    fn let_go<'a>(
        &self,
        io: MutexGuard<'a, Io>,
        shared: &SocketShared,
        round: usize,
    ) -> Result<Effects, MutexGuard<'a, Io>> {
        let mut effects = Effects::default();
        let mut core = shared.lock_amid();
        let Some(pipe) = core.pipe(self.key) else {
            return Ok(effects);
        };
        if !pipe.out.is_empty() && (pipe.pace == Pace::Idle || pipe.flush_due()) {
            if round < ROUNDS {
                drop(core);
                return Err(io);
            }
            if pipe.pace == Pace::Idle {
                pipe.pace = Pace::Hot;
                effects.tick |= core.bursts.begin(self.key);
            }
        }
        Holding::let_go(io, core);
        Ok(effects)
    }

    /// `Link::write_turn`.
    fn write_turn(&self, io: &mut Io, shared: &SocketShared) {
        loop {
            let freed = io.batch.len();
            io.written.append(&mut io.batch);
            let before = shared.missing.fetch_sub(freed, Ordering::SeqCst);
            if freed > 0 && before == freed {
                shared.left.set(true);
            }
            if !self.report_and_take(io, shared, freed) {
                return;
            }
        }
    }

    /// `Link::report_and_take`.
    fn report_and_take(&self, io: &mut Io, shared: &SocketShared, freed: usize) -> bool {
        let mut core = shared.lock_amid();
        let closing = core.closing;
        let Some(pipe) = core.pipe(self.key) else {
            return false;
        };
        pipe.in_flight -= freed;
        let took = !pipe.out.is_empty();
        if took {
            pipe.take_out(&mut io.batch);
        }
        // `Core::is_awaited`.
        let awaited = freed > 0 && closing && pipe.out.is_empty() && pipe.in_flight == 0;
        drop(core);
        if awaited {
            shared.ctx.wake.raise();
        }
        took
    }
}
