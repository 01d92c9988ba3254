//! What lives under a socket's lock: the pattern, the pipes, the numbers.
//!
//! Nothing here makes a system call. What has to happen outside the lock is written into [`Effects`] and done by
//! [`SocketShared::run`](crate::shared::SocketShared::run) after the lock was let go.

use std::sync::Arc;

use bytes::Bytes;
use zmq_patterns::{Attach, DropReason, Output, Pattern, PatternOption, PeerKey};
use zmtp_wire::{Message, SocketType};

use crate::clock::Clock;
use crate::counters::{Counters, Loss};
use crate::effects::Effects;
use crate::endpoint::EndpointRecord;
use crate::fanning::Bundle;
use crate::handover::Bursts;
use crate::link::Link;
use crate::monitor::{CloseReason, Happening, MonitorEvent, MonitorQueue};
use crate::options::SocketOptions;
use crate::pace;
use crate::pipe::{BURST_MICROS, Carrier, Item, Marks, Pace, PeerFacts, Pipe};
use crate::round;
use crate::shared::Notice;
use crate::terms::Terms;

/// How far a socket is from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Open,
    /// The context is being shut down: every verb fails, closing still works.
    Terminated,
    /// Closed by its owner; the driver lets the output out.
    Closing,
    Closed,
}

/// The state of one socket.
pub(crate) struct Core {
    pub(crate) socket_type: SocketType,
    pub(crate) pattern: Pattern,
    pub(crate) receives: bool,
    pipes: Vec<Option<Pipe>>,
    free: Vec<u32>,
    pub(crate) endpoints: Vec<EndpointRecord>,
    pub(crate) options: SocketOptions,
    /// What connections that begin now are held to; made when one does.
    terms: Option<Arc<Terms>>,
    pub(crate) connect_routing_id: Option<Bytes>,
    pub(crate) counters: Counters,
    pub(crate) monitors: Vec<Arc<MonitorQueue>>,
    pub(crate) life: Life,
    /// Messages for the same peers, which are in no pipe yet.
    pub(crate) bundle: Bundle,
    /// Pipes in a burst, whose output the driver's tick looks after.
    pub(crate) bursts: Bursts<PeerKey>,
    /// Links and inproc peers that are up.
    pub(crate) live: usize,
    pub(crate) last_failure: Option<(String, CloseReason)>,
    /// A dialer has given up.
    pub(crate) gave_up: bool,
    /// Inproc peers from which nothing is left.
    pub(crate) thirsty: Vec<PeerKey>,
    /// Messages taken since then.
    pub(crate) patience: u32,
    /// An empty list to change for the socket's inbox.
    pub(crate) spare_notices: Vec<Notice>,
    /// How much had been delivered the last time a receiver found nothing.
    pub(crate) dry_at: u64,
    /// What large messages from links weigh, in so many small ones.
    pub(crate) bulk: u64,
    /// What callers that were away had taken the last time the driver read much for them.
    pub(crate) served: crate::watching::Served,
    /// Subscribed peers, as the monitors were last told.
    subscribers: usize,
    clock: Clock,
}

impl Core {
    pub(crate) fn new(
        socket_type: SocketType,
        pattern: Pattern,
        options: SocketOptions,
        clock: Clock,
    ) -> Core {
        Core {
            socket_type,
            receives: pattern.receives(),
            pattern,
            pipes: Vec::new(),
            free: Vec::new(),
            endpoints: Vec::new(),
            options,
            terms: None,
            connect_routing_id: None,
            counters: Counters::default(),
            monitors: Vec::new(),
            life: Life::Open,
            bundle: Bundle::default(),
            bursts: Bursts::default(),
            live: 0,
            last_failure: None,
            gave_up: false,
            thirsty: Vec::new(),
            patience: 0,
            spare_notices: Vec::new(),
            dry_at: 0,
            bulk: 0,
            served: Default::default(),
            subscribers: 0,
            clock,
        }
    }

    pub(crate) fn terms(&mut self) -> Arc<Terms> {
        let (socket_type, options) = (self.socket_type, &self.options);
        let terms = self
            .terms
            .get_or_insert_with(|| Arc::new(Terms::new(socket_type, options)));
        Arc::clone(terms)
    }

    /// Options are about to change. What is given back is dropped once the lock is let go.
    #[must_use]
    pub(crate) fn forget_terms(&mut self) -> Option<Arc<Terms>> {
        self.terms.take()
    }

    /// An option of the pattern, which those sessions are to know that begin now.
    #[must_use]
    pub(crate) fn keep_for_sessions(&mut self, option: PatternOption) -> Option<Arc<Terms>> {
        self.options.pattern.push(option);
        self.forget_terms()
    }

    pub(crate) fn marks(&self) -> Marks {
        use SocketType::{Dealer, Pair, Pub, Pull, Push, Req, Sub};
        let send = self.options.send_hwm.filter(|mark| *mark > 0);
        let waits = matches!(self.socket_type, Dealer | Pair | Push | Req);
        Marks {
            send,
            recv: self.options.recv_hwm.filter(|mark| *mark > 0),
            octets: self.options.queue_octets.filter(|mark| *mark > 0),
            conflate: self.options.conflate
                && matches!(self.socket_type, Dealer | Pub | Pull | Push | Sub),
            burst: pace::gathers(send, !waits),
        }
    }

    /// Whether connecting to the same endpoint again changes nothing, as users of these types expect.
    pub(crate) fn connects_once(&self) -> bool {
        use SocketType::{Dealer, Pub, Req, Sub};
        matches!(self.socket_type, Dealer | Req | Pub | Sub)
    }

    // ---- pipes ----

    pub(crate) fn pipe(&mut self, key: PeerKey) -> Option<&mut Pipe> {
        self.pipes.get_mut(key.0 as usize)?.as_mut()
    }

    /// What came first from a peer and waits.
    pub(crate) fn first_input(&self, key: PeerKey) -> Option<&Item> {
        self.pipes.get(key.0 as usize)?.as_ref()?.input.front()
    }

    pub(crate) fn pipes(&self) -> impl Iterator<Item = (PeerKey, &Pipe)> {
        self.pipes
            .iter()
            .enumerate()
            .filter_map(|(index, pipe)| Some((key_of(index), pipe.as_ref()?)))
    }

    pub(crate) fn keys(&self) -> Vec<PeerKey> {
        self.pipes().map(|(key, _)| key).collect()
    }

    pub(crate) fn link(&self, key: PeerKey) -> Option<Arc<Link>> {
        self.pipes
            .get(key.0 as usize)?
            .as_ref()?
            .link()
            .map(Arc::clone)
    }

    /// Makes the pipe of a new peer and tells the pattern of it.
    pub(crate) fn attach(
        &mut self,
        dialer: Option<u64>,
        facts: PeerFacts,
        attach: Attach,
    ) -> PeerKey {
        let pipe = Pipe::new(self.marks(), dialer, facts);
        let key = match self.free.pop() {
            Some(index) => {
                if let Some(slot) = self.pipes.get_mut(index as usize) {
                    *slot = Some(pipe);
                }
                PeerKey(index)
            }
            None => {
                self.pipes.push(Some(pipe));
                key_of(self.pipes.len() - 1)
            }
        };
        self.pattern.attach(key, attach);
        key
    }

    /// Takes a peer and its queues away. What had not left is counted.
    pub(crate) fn detach(&mut self, key: PeerKey, reason: Loss) {
        let Some(pipe) = self
            .pipes
            .get_mut(key.0 as usize)
            .and_then(|slot| slot.take())
        else {
            return;
        };
        if let Carrier::Link(link) = &pipe.carrier {
            // The key may have another owner by the time whoever drives the link takes this lock.
            link.clear_key();
        }
        self.pattern.detach(key);
        self.free.push(key.0);
        self.bursts.end(key);
        self.thirsty.retain(|thirsty| *thirsty != key);
        if pipe.live {
            self.live = self.live.saturating_sub(1);
        }
        let unsent = pipe.queued_messages().saturating_add(pipe.in_flight);
        self.lose(reason, unsent as u64, &pipe.facts.endpoint);
        let unread = (pipe.input.len() as u64).saturating_add(pipe.unheard.unwrap_or(0));
        self.lose(Loss::Unread, unread, &pipe.facts.endpoint);
    }

    pub(crate) fn lose(&mut self, reason: Loss, count: u64, endpoint: &str) {
        if count == 0 {
            return;
        }
        self.counters.lose(reason, count);
        self.report_with(endpoint, None, || Happening::Dropped { count, reason });
    }

    /// Counts drops of the hot path, which are not worth an event each.
    pub(crate) fn lose_quietly(&mut self, reason: DropReason, count: u64) {
        self.counters.lose(Loss::Pattern(reason), count);
    }

    pub(crate) fn report(&mut self, endpoint: &str, peer: Option<&str>, what: Happening) {
        self.report_with(endpoint, peer, || what);
    }

    fn report_with(
        &mut self,
        endpoint: &str,
        peer: Option<&str>,
        what: impl FnOnce() -> Happening,
    ) {
        if self.monitors.is_empty() {
            return;
        }
        let event = MonitorEvent {
            endpoint: endpoint.to_owned(),
            peer: peer.map(str::to_owned),
            what: what(),
        };
        // A monitor that only we hold on to has been dropped by its owner.
        self.monitors
            .retain(|monitor| Arc::strong_count(monitor) > 1);
        for monitor in &self.monitors {
            monitor.push(&event);
        }
    }

    // ---- towards a peer ----

    /// Puts something into the queue of a peer and decides who carries it on.
    pub(crate) fn enqueue(&mut self, key: PeerKey, item: Item, effects: &mut Effects) {
        let Some(pipe) = self
            .pipes
            .get_mut(key.0 as usize)
            .and_then(|slot| slot.as_mut())
            .filter(|pipe| !pipe.is_left())
        else {
            let lost = u64::from(item.is_message());
            self.counters.lose(Loss::PeerLeft, lost);
            return;
        };
        if matches!(pipe.carrier, Carrier::Inproc(..)) {
            self.gather(key, item, effects);
            return;
        }
        if pipe.marks.conflate && item.is_message() {
            let replaced = pipe.queued_messages();
            pipe.retain_out(|queued| !queued.is_message());
            self.counters.lose(Loss::Conflated, replaced as u64);
        }
        pipe.push_out(item);
        self.queued(key, effects);
    }

    /// A link's pipe has one more: is it at its mark, and is it to be written now?
    pub(crate) fn queued(&mut self, key: PeerKey, effects: &mut Effects) {
        let clock = &self.clock;
        let Some(pipe) = self
            .pipes
            .get_mut(key.0 as usize)
            .and_then(|slot| slot.as_mut())
        else {
            return;
        };
        if !pipe.full && pipe.is_full() {
            pipe.full = true;
            self.pattern.set_writable(key, false);
        }
        if pipe.stalled {
            return;
        }
        let Carrier::Link(link) = &pipe.carrier else {
            return;
        };
        match pipe.pace {
            Pace::Idle => {
                let now = clock.now();
                let to_this_peer = now <= pipe.last_write.plus_micros(BURST_MICROS);
                if !to_this_peer && !round::goes_on(clock, now) {
                    effects.pump.push(Arc::clone(link));
                    return;
                }
                pipe.pace = Pace::Hot;
                effects.gathers |= !to_this_peer;
                effects.tick |= self.bursts.begin(key);
            }
            Pace::Hot if pipe.flush_due() => effects.pump.push(Arc::clone(link)),
            Pace::Hot => {}
        }
    }

    /// Tells the monitors when the number of subscribed peers has changed.
    pub(crate) fn note_subscribers(&mut self, effects: &mut Effects) {
        let peers = self.pattern.subscriber_count();
        if peers != self.subscribers {
            self.subscribers = peers;
            effects.wake = true;
            self.report("", None, Happening::Subscribers { peers });
        }
    }

    /// Keeps the reason for which a connection was not made.
    pub(crate) fn note_failure(&mut self, endpoint: &str, reason: &CloseReason) {
        self.last_failure = Some((endpoint.to_owned(), reason.clone()));
    }

    /// Does what the pattern wants done after a call.
    #[inline]
    pub(crate) fn settle(&mut self, effects: &mut Effects) {
        if self.pattern.has_output() {
            self.settle_outputs(effects);
        }
    }

    fn settle_outputs(&mut self, effects: &mut Effects) {
        self.close_bundle(Some(effects));
        while let Some(output) = self.pattern.poll_output() {
            match output {
                Output::Subscribe { peer, topic } => {
                    self.enqueue(peer, Item::Subscribe(topic), effects);
                }
                Output::Cancel { peer, topic } => {
                    self.enqueue(peer, Item::Cancel(topic), effects);
                }
                Output::Send { peer, message } => self.enqueue_first(peer, message, effects),
                Output::DiscardQueued { peer } => self.discard_input(peer, effects),
                Output::Close { peer, why } => self.close_peer(peer, why, effects),
                _ => {}
            }
        }
    }

    /// Queues a message before all that waits (a welcome, hello or probe message of the pattern itself).
    fn enqueue_first(&mut self, key: PeerKey, message: Message, effects: &mut Effects) {
        let Some(pipe) = self.pipe(key) else { return };
        if matches!(pipe.carrier, Carrier::Link(_)) && !pipe.out.is_empty() {
            pipe.out_octets = pipe.out_octets.saturating_add(message.byte_len());
            let place = pipe
                .out
                .iter()
                .position(Item::is_message)
                .unwrap_or(pipe.out.len());
            pipe.out.insert(place, Item::Message(message));
            return;
        }
        self.enqueue(key, Item::Message(message), effects);
    }

    /// Has links that cannot be written to read on, which waited for the application to receive: it does not any more.
    pub(crate) fn drive_broken(&mut self, effects: &mut Effects) {
        for pipe in self.pipes.iter_mut().flatten().filter(|pipe| pipe.broken) {
            if let Some(link) = pipe.link().map(Arc::clone) {
                // Who holds the link may have looked already.
                pipe.woken = true;
                effects.drive(link);
            }
        }
    }

    pub(crate) fn discard_input(&mut self, key: PeerKey, effects: &mut Effects) {
        let Some(pipe) = self.pipe(key) else { return };
        let count = pipe.input.len();
        pipe.input.clear();
        pipe.input_octets = 0;
        self.after_taking(key, count, effects);
        self.lose_quietly(DropReason::StaleReply, count as u64);
    }

    fn close_peer(&mut self, key: PeerKey, why: zmq_patterns::CloseReason, effects: &mut Effects) {
        let reason = match why {
            zmq_patterns::CloseReason::HandedOver => CloseReason::Replaced,
            zmq_patterns::CloseReason::Fault(fault) => CloseReason::Fault(fault),
            _ => CloseReason::ByUs,
        };
        let Some(pipe) = self.pipe(key) else { return };
        match &pipe.carrier {
            Carrier::Link(link) => {
                let link = Arc::clone(link);
                effects.close(link, reason);
            }
            Carrier::Inproc(..) => {
                self.close_lane(key, effects);
                self.link_down(key);
                self.detach(key, Loss::PeerLeft);
            }
            Carrier::None => {}
        }
    }

    // ---- from a peer ----

    /// Accounts for `count` messages taken from the input of a peer, and lets its link or its writer go on.
    pub(crate) fn after_taking(&mut self, key: PeerKey, count: usize, effects: &mut Effects) {
        let Some(pipe) = self.pipe(key) else { return };
        match &pipe.carrier {
            Carrier::Link(link) => {
                if pipe.paused && pipe.may_resume() {
                    pipe.paused = false;
                    effects.drive(Arc::clone(link));
                }
            }
            Carrier::Inproc(lane, side) => {
                pipe.unreported = pipe
                    .unreported
                    .saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
                let dry = pipe.input.is_empty();
                if dry || pipe.unreported >= pipe.report_step {
                    let notice = lane.report(*side, std::mem::take(&mut pipe.unreported));
                    effects.notices.extend(notice);
                }
                if dry {
                    self.run_dry(key);
                }
            }
            Carrier::None => {}
        }
        let over = |pipe: &mut Pipe| pipe.dying && pipe.input.is_empty();
        if self.pipe(key).is_some_and(over) {
            self.detach(key, Loss::PeerLeft);
        }
    }

    /// Whether nothing waits to leave for a peer.
    pub(crate) fn is_empty(&mut self, key: PeerKey) -> bool {
        self.pipe(key)
            .is_none_or(|pipe| pipe.queued_messages() == 0 && pipe.in_flight == 0)
    }

    /// Whether the driver waits for this peer's queue to empty, and it has.
    pub(crate) fn is_awaited(&mut self, key: PeerKey) -> bool {
        let closing = self.life == Life::Closing;
        self.pipe(key).is_some_and(|pipe| {
            (closing || pipe.leaving) && pipe.out.is_empty() && pipe.in_flight == 0
        })
    }

    /// Whether the peer was dialed within this context.
    pub(crate) fn is_inproc(&mut self, key: PeerKey) -> bool {
        self.pipe(key)
            .is_some_and(|pipe| pipe.facts.endpoint.starts_with(crate::connecting::INPROC))
    }

    /// Forgets the endpoint of a dialer that is no more.
    pub(crate) fn forget_dialer(&mut self, dialer: Option<u64>) {
        if let Some(dialer) = dialer {
            self.endpoints.retain(|one| !one.is_dialer(dialer));
        }
    }
}

fn key_of(index: usize) -> PeerKey {
    PeerKey(u32::try_from(index).unwrap_or(u32::MAX))
}
