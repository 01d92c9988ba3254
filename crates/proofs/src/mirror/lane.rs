//! A socket with one inproc peer: `SocketShared` with what it needs of `Core` and `Pipe`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::handover::Inbox;
use crate::inproc::{Lane, Side};
use crate::kernel::{self, File};
use crate::mirror::{Item, Notice, PeerKey};
use crate::waking::Waking;

/// `lanes::GATHER`: so few that the models come to it.
const GATHER: usize = 2;

/// `shared::GLANCES`. To look once is to look at any moment.
const GLANCES: usize = 1;

/// What is left to be done outside the lock.
type Effects = Vec<(Arc<SocketShared>, Notice)>;

pub(crate) struct SocketShared {
    core: Mutex<Core>,
    pub(crate) waking: Waking,
    signal: File,
    inbox: Inbox<Notice>,
}

/// `Core` and its one `Pipe`.
#[derive(Default)]
struct Core {
    out: VecDeque<Item>,
    /// `Bundle`, which others share.
    bundle: VecDeque<Item>,
    bundle_room: usize,
    input: VecDeque<Item>,
    lane: Option<(Arc<Lane>, Side)>,
    gather: usize,
    full: bool,
    thirsty: bool,
    ended: bool,
    unreported: u32,
    report_step: u32,
}

impl core::fmt::Debug for SocketShared {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SocketShared")
    }
}

impl SocketShared {
    pub(crate) fn open() -> Arc<SocketShared> {
        let waking = Waking::new().unwrap();
        Arc::new(SocketShared {
            core: Mutex::new(Core::default()),
            signal: File::opened_last(),
            waking,
            inbox: Inbox::new(),
        })
    }

    /// `meeting::meet`, before anybody is there: the first writes, the second reads.
    pub(crate) fn meet(mark: Option<u32>) -> (Arc<SocketShared>, Arc<SocketShared>) {
        let (writer, reader) = (SocketShared::open(), SocketShared::open());
        let lane = Arc::new(Lane::new(
            (Arc::downgrade(&writer), (mark, mark)),
            (Arc::downgrade(&reader), (mark, mark)),
            false,
        ));
        lane.set_key(Side::Dialer, PeerKey(0));
        lane.set_key(Side::Binder, PeerKey(0));
        for (socket, side) in [(&writer, Side::Dialer), (&reader, Side::Binder)] {
            let mut core = socket.core.lock().unwrap();
            core.report_step = lane.report_step(side);
            core.gather = lane.room(side).min(GATHER);
            core.lane = Some((Arc::clone(&lane), side));
            core.run_dry();
        }
        (writer, reader)
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

    /// `SocketShared::enter` and `read_inbox`.
    fn enter(&self, effects: &mut Effects) -> MutexGuard<'_, Core> {
        let mut core = self.lock_amid();
        core.close_bundle(Some(effects));
        if self.inbox.is_used() {
            let mut notices = Vec::new();
            self.inbox.read(&mut notices);
            for notice in notices {
                match notice {
                    Notice::Readable(_) => core.read_lane(),
                    Notice::Writable(_) => core.refresh_lane(effects),
                    Notice::Gone(_) => {
                        core.read_lane();
                        core.ended = true;
                    }
                }
            }
        }
        core
    }

    /// `SocketShared::post`.
    fn post(&self, notice: Notice) {
        self.inbox.post(notice);
        if matches!(notice, Notice::Gone(_)) {
            self.waking.call_driver();
        } else {
            self.waking.wake();
        }
    }

    /// `SocketShared::run`.
    fn run(effects: Effects) {
        for (socket, notice) in effects {
            socket.post(notice);
        }
    }

    /// `Socket::offer`: says whether it was accepted.
    pub(crate) fn offer(&self, item: Item) -> bool {
        let mut effects = Effects::new();
        let mut core = self.enter(&mut effects);
        let accepted = !core.full;
        if accepted {
            core.gather(item, &mut effects);
        }
        drop(core);
        SocketShared::run(effects);
        accepted
    }

    /// The same of a message for several, of which the peer is one: there is room.
    pub(crate) fn publish(&self, item: Item) {
        let mut effects = Effects::new();
        let mut core = if self.inbox.is_used() {
            self.enter(&mut effects)
        } else {
            self.lock_amid()
        };
        core.fan_out(item, &mut effects);
        drop(core);
        SocketShared::run(effects);
    }

    /// `Socket::send_from` and `wait_and_offer`.
    pub(crate) fn send(&self, item: Item) {
        if self.offer(item) || (self.glance_for_room() && self.offer(item)) {
            return;
        }
        self.wait(|| self.offer(item).then_some(()));
    }

    /// `SocketShared::glance`.
    fn glance(&self) -> bool {
        self.inbox.is_used()
    }

    /// `SocketShared::glance_for_room`.
    fn glance_for_room(&self) -> bool {
        self.lock().look_for_room(true);
        let seen = (0..GLANCES).any(|_| self.glance());
        self.lock().look_for_room(false);
        seen
    }

    /// `SocketShared::has_waiters`.
    pub(crate) fn has_waiters(&self) -> bool {
        self.waking.anybody()
    }

    /// `Socket::take`: a message, or nothing after the peer has closed.
    fn take(&self) -> Option<Option<Item>> {
        let mut effects = Effects::new();
        let mut core = self.enter(&mut effects);
        let taken = core.input.pop_front();
        if taken.is_some() {
            core.after_taking(&mut effects);
        }
        let over = core.ended && taken.is_none();
        drop(core);
        SocketShared::run(effects);
        if over { Some(None) } else { taken.map(Some) }
    }

    /// `SocketShared::fetch`.
    fn fetch(&self) -> bool {
        let thirst = self.lock().take_thirst();
        let Some((writer, _)) = thirst else {
            return false;
        };
        let mut effects = Effects::new();
        let some = writer.lock().hand_over(&mut effects);
        SocketShared::run(effects);
        some || self.inbox.is_used()
    }

    /// `Socket::take_all`.
    fn take_all(&self) -> Option<Option<Item>> {
        loop {
            match self.take() {
                None if self.fetch() => {}
                done => return done,
            }
        }
    }

    /// `Socket::recv_into` and `wait_and_take`.
    pub(crate) fn recv(&self) -> Option<Item> {
        if let Some(done) = self.take() {
            return done;
        }
        for _ in 0..GLANCES {
            self.glance();
            if let Some(done) = self.take_all() {
                return done;
            }
        }
        self.wait(|| self.take_all())
    }

    /// The loop of `wait_and_offer` and `wait_and_take` with `SocketShared::sleep`, and the end of the `Waiter`.
    fn wait<T>(&self, mut attempt: impl FnMut() -> Option<T>) -> T {
        let mut seen = self.waking.enter();
        let done = loop {
            if let Some(done) = attempt() {
                break done;
            }
            kernel::wait(|levels| levels.is(self.signal).then_some(()));
            self.waking.leave(seen);
            self.waking.settle();
            let mut effects = Effects::new();
            drop(self.enter(&mut effects));
            SocketShared::run(effects);
            seen = self.waking.enter();
        };
        self.waking.leave(seen);
        if self.inbox.is_used() {
            self.waking.call_driver();
        }
        done
    }

    /// `Core::close_lane`, with what has to be done outside the lock.
    pub(crate) fn close(&self) {
        let mut effects = Effects::new();
        let mut core = self.core.lock().unwrap();
        core.hand_over(&mut effects);
        if let Some((lane, side)) = &core.lane {
            effects.extend(lane.close(*side).0);
        }
        drop(core);
        SocketShared::run(effects);
    }

    /// What was sent and not handed over, for a look at the end.
    pub(crate) fn gathered(&self) -> usize {
        self.core.lock().unwrap().out.len()
    }
}

impl Core {
    /// `Core::fan_out`, of messages that follow each other to the same targets.
    fn fan_out(&mut self, item: Item, effects: &mut Effects) {
        if self.bundle.is_empty() && !self.open_bundle() {
            self.gather(item, effects);
            return;
        }
        self.bundle.push_back(item);
        if self.bundle.len() >= self.bundle_room {
            self.close_bundle(Some(effects));
        }
    }

    /// `Core::open_bundle`.
    fn open_bundle(&mut self) -> bool {
        let Some((lane, side)) = &self.lane else {
            return false;
        };
        let waiting = self.out.len();
        self.bundle_room = self.gather.saturating_sub(waiting);
        self.bundle_room > 1 && (waiting > 0 || !lane.begin_gathering(*side))
    }

    /// `Core::close_bundle` and `deal_out`.
    fn close_bundle(&mut self, effects: Option<&mut Effects>) {
        if self.bundle.is_empty() {
            return;
        }
        self.out.append(&mut self.bundle);
        if let Some(effects) = effects {
            self.gathered(effects);
        }
    }

    /// `Core::gather_message`; `Pipe::push_to_lane` is the same for those in between.
    fn gather(&mut self, item: Item, effects: &mut Effects) {
        self.out.push_back(item);
        self.gathered(effects);
    }

    /// `Core::gathered`.
    fn gathered(&mut self, effects: &mut Effects) {
        let Some((lane, side)) = &self.lane else { return };
        let count = self.out.len();
        if count >= self.gather || (count == 1 && lane.begin_gathering(*side)) {
            self.hand_over(effects);
        }
    }

    /// `Core::hand_over`.
    fn hand_over(&mut self, effects: &mut Effects) -> bool {
        let Some((lane, side)) = &self.lane else {
            return false;
        };
        if self.out.is_empty() {
            return false;
        }
        let messages = self.out.len();
        let handed = lane.hand_over(*side, &mut self.out, messages);
        self.gather = handed.room.min(GATHER);
        self.full |= handed.room == 0;
        effects.extend(handed.notice);
        true
    }

    /// `Core::refresh_lane`.
    fn refresh_lane(&mut self, effects: &mut Effects) {
        self.hand_over(effects);
        let Some((lane, side)) = &self.lane else { return };
        let room = lane.room(*side);
        self.gather = room.min(GATHER);
        self.full = room == 0;
    }

    /// `Core::look_for_room`.
    fn look_for_room(&self, looking: bool) {
        if let Some((lane, side)) = &self.lane
            && self.full
        {
            lane.look_for_room(*side, looking);
        }
    }

    /// `lanes::read_lane`.
    fn read_lane(&mut self) {
        let Some((lane, side)) = &self.lane else { return };
        let mut items = VecDeque::new();
        lane.read(*side, &mut items);
        self.input.append(&mut items);
        if self.input.is_empty() {
            self.run_dry();
        } else {
            self.thirsty = false;
        }
    }

    /// `Core::after_taking`. `bear_thirst` has patience for more messages than there are here.
    fn after_taking(&mut self, effects: &mut Effects) {
        let Some((lane, side)) = &self.lane else { return };
        self.unreported += 1;
        let dry = self.input.is_empty();
        if dry || self.unreported >= self.report_step {
            effects.extend(lane.report(*side, std::mem::take(&mut self.unreported)));
        }
        if dry {
            self.run_dry();
        }
    }

    /// `Core::run_dry`.
    fn run_dry(&mut self) {
        if let Some((lane, side)) = &self.lane {
            lane.run_dry(*side);
            self.thirsty = true;
        }
    }

    /// `Core::take_thirst`.
    fn take_thirst(&self) -> Option<(Arc<SocketShared>, PeerKey)> {
        let (lane, side) = self.lane.as_ref()?;
        (self.thirsty && lane.has_gathered(*side))
            .then(|| lane.writer(*side))
            .flatten()
    }
}
