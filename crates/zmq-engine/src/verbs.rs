//! Sending, receiving and changing options, under the socket's lock.

use std::mem::replace;

use zmq_patterns::{DropReason, Pattern, PeerKey, Route, SendRefused, Source, Taken};
use zmtp_wire::{Frame, Message, SocketType};

use crate::core::{Core, Life};
use crate::counters::Loss;
use crate::effects::Effects;
use crate::error::{RecvError, SendFailure};
use crate::inproc::LaneMarks;
use crate::item::Slot;
use crate::options::SocketOption;
use crate::pace::PACKED;
use crate::pipe::{Carrier, Item, Pipe};
use crate::terms::Former;

impl Core {
    /// Lets the pattern choose, and queues. The message is taken where it stands, and stays there when it is not accepted: one that
    /// is passed on by value is copied at each step, and copied once more with its error.
    pub(crate) fn send(
        &mut self,
        message: &mut Message,
        effects: &mut Effects,
    ) -> Result<(), SendFailure> {
        self.send_by(message, effects, Pattern::send)
    }

    /// Chooses the way of a message that begins with `first`.
    pub(crate) fn reserve(
        &mut self,
        first: &Frame,
    ) -> Result<zmq_patterns::Reservation, SendFailure> {
        self.sendable()?;
        self.pattern
            .begin(first)
            .map_err(|refused| self.failure(refused))
    }

    fn sendable(&self) -> Result<(), SendFailure> {
        match self.life {
            Life::Open => Ok(()),
            Life::Terminated => Err(SendFailure::Terminated),
            _ => Err(SendFailure::Closed),
        }
    }

    /// Queues where `route` says.
    #[inline]
    pub(crate) fn send_by(
        &mut self,
        message: &mut Message,
        effects: &mut Effects,
        route: impl FnOnce(&mut Pattern, &mut Message) -> Result<Route, SendRefused>,
    ) -> Result<(), SendFailure> {
        self.sendable()?;
        if message.properties().is_some() {
            // They tell where it came from, which is not the receiver's business.
            message.set_properties(None);
        }
        let route = match route(&mut self.pattern, message) {
            Ok(route) => route,
            Err(refused) => {
                let reason = self.failure(refused);
                self.settle(effects);
                return Err(reason);
            }
        };
        self.counters.accepted = self.counters.accepted.wrapping_add(1);
        match route {
            Route::One(key) if self.gather_message(key, message, effects) => {}
            Route::One(key) if self.pack(key, message, effects) => {}
            Route::One(key) => self.enqueue(key, Item::Message(take(message)), effects),
            Route::Many { dropped } => {
                self.lose_quietly(DropReason::PeerFull, u64::from(dropped));
                self.fan_out(message, effects);
            }
            Route::Nowhere(reason) => self.lose_quietly(reason, 1),
            _ => {}
        }
        self.settle(effects);
        Ok(())
    }

    /// The short way of a message that stands in `slot`, where something of no meaning is left: into the queue of a peer to which a burst is under way. Says
    /// whether that was all there is to do; the message is untouched if it was not.
    #[inline]
    pub(crate) fn send_plain(&mut self, slot: &mut impl Slot) -> bool {
        self.send_short(|pipe| pipe.push_plain(slot))
    }

    /// As [`send_plain`](Self::send_plain) for the body of a message of one frame. A frame is made of it in `slot` where it needs one; not of a long one,
    /// as nobody is to wait at the lock while that is copied.
    #[inline]
    pub(crate) fn send_body(&mut self, body: &[u8], slot: &mut Frame) -> bool {
        self.send_short(|pipe| {
            pipe.push_body(body)
                || body.len() <= PACKED && {
                    *slot = Frame::copy_from(body);
                    pipe.push_plain(slot)
                }
        })
    }

    #[inline]
    fn send_short(&mut self, push: impl FnOnce(&mut Pipe) -> bool) -> bool {
        if self.life != Life::Open {
            return false;
        }
        let Some(key) = self.pattern.next_target() else {
            return false;
        };
        if !self.pipe(key).is_some_and(push) {
            return false;
        }
        self.pattern.sent_to_target();
        self.counters.accepted = self.counters.accepted.wrapping_add(1);
        true
    }

    /// The short way of a message to its receiver, of types that hand it on as it came. Says whether one was put into `slot`, and nothing
    /// else follows from that.
    #[inline]
    pub(crate) fn receive_plain(&mut self, slot: &mut impl Slot) -> bool {
        if self.life != Life::Open || !self.thirsty.is_empty() {
            return false;
        }
        let Some(key) = self.pattern.next_plain() else {
            return false;
        };
        if !self.pattern.passes_all() && !self.wants_first(key) {
            return false;
        }
        let Some(more) = self.pipe(key).and_then(|pipe| pipe.pop_plain(slot)) else {
            return false;
        };
        self.pattern.taken_plain(key, more);
        self.counters.delivered = self.counters.delivered.wrapping_add(1);
        true
    }

    /// Whether what came first from a peer is delivered, if it is a message.
    pub(crate) fn wants_first(&self, key: PeerKey) -> bool {
        matches!(self.first_input(key), Some(Item::Message(first)) if self.pattern.passes(first.frames()))
    }

    fn failure(&self, refused: SendRefused) -> SendFailure {
        match refused {
            SendRefused::WouldBlock => SendFailure::WouldBlock,
            SendRefused::Unroutable => SendFailure::Unroutable,
            SendRefused::WrongState => SendFailure::WrongState(self.socket_type),
            SendRefused::WrongDirection => SendFailure::WrongDirection(self.socket_type),
            SendRefused::Multipart => {
                SendFailure::Invalid("this type of socket sends messages of one frame only")
            }
            _ => SendFailure::Invalid("the pattern refused the message"),
        }
    }

    /// Moves the next message that the pattern delivers to `into`, which is left as it was when there is none.
    pub(crate) fn receive(
        &mut self,
        into: &mut Message,
        effects: &mut Effects,
    ) -> Result<(), RecvError> {
        match self.life {
            Life::Open => {}
            Life::Terminated => return Err(RecvError::Terminated),
            Life::Closing | Life::Closed => return Err(RecvError::Closed),
        }
        self.pass_over(effects);
        loop {
            let source = match self.pattern.next() {
                Ok(Some(source)) => source,
                Ok(None) => return Err(RecvError::WouldBlock),
                Err(refused) => return Err(self.recv_error(refused)),
            };
            let key = match source {
                Source::Peer(key) => key,
                _ => {
                    if let Some(message) = self.pattern.take_own() {
                        self.counters.delivered = self.counters.delivered.wrapping_add(1);
                        *into = message;
                        return Ok(());
                    }
                    continue;
                }
            };
            let Some(pipe) = self.pipe(key).filter(|pipe| !pipe.input.is_empty()) else {
                self.pattern.set_drained(key);
                continue;
            };
            pipe.pop_input(into);
            let more = !pipe.input.is_empty();
            let quiet = pipe.taken_quietly(more);
            let delivered = self.pattern.take_unseen(key, more) || self.decide(key, into, more);
            if !quiet {
                self.after_taking(key, 1, effects);
            }
            self.settle(effects);
            if !self.thirsty.is_empty() {
                self.bear_thirst(effects);
            }
            if delivered {
                self.counters.delivered = self.counters.delivered.wrapping_add(1);
                if self.socket_type == SocketType::Req {
                    // It receives no more until it has sent.
                    self.drive_broken(effects);
                }
                return Ok(());
            }
        }
    }

    /// Lets go of messages that nobody will get, as a SUB has left their topics since, up to the first that is wanted: what is said to be
    /// there can be received. Says whether there were any.
    #[inline]
    pub(crate) fn pass_over(&mut self, effects: &mut Effects) -> bool {
        !self.pattern.passes_all() && self.pass_over_what_it_left(effects)
    }

    #[inline(never)]
    fn pass_over_what_it_left(&mut self, effects: &mut Effects) -> bool {
        let mut unwanted = Vec::new();
        while self.life == Life::Open
            && let Some(key) = self.pattern.next_plain()
            && !self.wants_first(key)
        {
            let Some(pipe) = self.pipe(key).filter(|pipe| !pipe.input.is_empty()) else {
                self.pattern.set_drained(key);
                continue;
            };
            let mut message = Message::empty();
            if !pipe.pop_input(&mut message) {
                break;
            }
            let more = !pipe.input.is_empty();
            let quiet = pipe.taken_quietly(more);
            self.pattern.taken_plain(key, more);
            self.lose_quietly(DropReason::FilteredOut, 1);
            unwanted.push(message);
            if !quiet {
                self.after_taking(key, 1, effects);
            }
            self.settle(effects);
            if !self.thirsty.is_empty() {
                self.bear_thirst(effects);
            }
        }
        let some = !unwanted.is_empty();
        effects.let_go(&mut unwanted);
        some
    }

    /// Has the pattern look at a message. Says whether it is delivered.
    fn decide(&mut self, key: PeerKey, message: &mut Message, more: bool) -> bool {
        match self.pattern.take(key, take(message), more) {
            Taken::Deliver(delivered) => {
                *message = delivered;
                true
            }
            Taken::Discard(reason) => {
                self.lose_quietly(reason, 1);
                false
            }
            _ => false,
        }
    }

    fn recv_error(&self, refused: zmq_patterns::RecvRefused) -> RecvError {
        match refused {
            zmq_patterns::RecvRefused::WrongState => RecvError::WrongState(self.socket_type),
            _ => RecvError::WrongDirection(self.socket_type),
        }
    }

    /// Gives what is no longer in force: dropped once the lock is let go, as its end may be code of the application.
    #[must_use]
    pub(crate) fn apply(&mut self, option: SocketOption, effects: &mut Effects) -> Former {
        let mut former = Former {
            _terms: self.forget_terms(),
            ..Former::default()
        };
        let options = &mut self.options;
        match option {
            SocketOption::SendHwm(mark) => options.send_hwm = mark,
            SocketOption::RecvHwm(mark) => options.recv_hwm = mark,
            SocketOption::QueueOctets(mark) => options.queue_octets = mark,
            SocketOption::Linger(linger) => options.linger = linger,
            SocketOption::RoutingId(id) => options.routing_id = id,
            SocketOption::ConnectRoutingId(id) => self.connect_routing_id = Some(id),
            SocketOption::Properties(properties) => options.properties = properties,
            SocketOption::Immediate(immediate) => options.immediate = immediate,
            SocketOption::Conflate(conflate) => options.conflate = conflate,
            SocketOption::Reconnect(reconnect) => options.reconnect = reconnect,
            SocketOption::ConnectTimeout(timeout) => options.connect_timeout = timeout,
            SocketOption::HandshakeTimeout(timeout) => options.handshake_timeout = timeout,
            SocketOption::Heartbeat(heartbeat) => options.heartbeat = heartbeat,
            SocketOption::AcceptFilter(filter) => {
                former.filter = replace(&mut options.accept_filter, filter);
            }
            SocketOption::Limits(limits) => options.limits = *limits,
            SocketOption::MinVersion(version) => options.min_version = version,
            SocketOption::Stream(stream) => options.stream = *stream,
            SocketOption::Security(security) => {
                former.security = replace(&mut options.security, security);
            }
            SocketOption::Authenticator(authenticator) => {
                former.authenticator = replace(&mut options.authenticator, authenticator);
            }
            SocketOption::ZapDomain(domain) => options.zap_domain = domain,
            SocketOption::ZapEnforceDomain(enforce) => options.zap_enforce_domain = enforce,
            SocketOption::Admission(admission) => options.admission = admission,
            SocketOption::AttachProperties(attach) => options.attach_properties = attach,
            SocketOption::Spin(spin) => options.spin = spin,
            // Told to the pattern by the caller.
            SocketOption::Pattern(_) => {}
        }
        self.apply_marks(effects);
        former
    }

    /// New marks act on the pipes that exist.
    fn apply_marks(&mut self, effects: &mut Effects) {
        let marks = self.marks();
        let lane_marks = self.lane_marks();
        for key in self.keys() {
            let Some(pipe) = self.pipe(key) else { continue };
            let conflate = pipe.marks.conflate;
            pipe.marks = marks;
            pipe.marks.conflate = conflate;
            if let Carrier::Inproc(lane, side) = &pipe.carrier {
                let (lane, side) = (std::sync::Arc::clone(lane), *side);
                effects.notices.extend(lane.set_marks(side, lane_marks));
                let step = lane.report_step(side);
                if let Some(pipe) = self.pipe(key) {
                    pipe.report_step = step;
                }
                self.refresh_lane(key, effects);
                continue;
            }
            let full = pipe.leaving || pipe.broken || pipe.is_full();
            let changed = full != pipe.full;
            pipe.full = full;
            if changed {
                self.pattern.set_writable(key, !full);
            }
            self.after_taking(key, 0, effects);
        }
    }

    /// What this socket adds to the capacity of a lane.
    pub(crate) fn lane_marks(&self) -> LaneMarks {
        let marks = self.marks();
        if marks.conflate {
            return (None, None);
        }
        (marks.send, marks.recv)
    }

    /// Messages that wait to leave, over all peers.
    pub(crate) fn unsent(&self) -> u64 {
        self.unsent_but(&[])
    }

    /// Messages that wait to leave, over all peers but these.
    pub(crate) fn unsent_but(&self, hopeless: &[PeerKey]) -> u64 {
        self.pipes()
            .filter(|(key, _)| !hopeless.contains(key))
            .map(|(_, pipe)| pipe.queued_messages().saturating_add(pipe.in_flight) as u64)
            .sum()
    }

    pub(crate) fn lose_all_unsent(&mut self) -> u64 {
        let unsent = self.unsent();
        for key in self.keys() {
            self.detach(key, Loss::Lingered);
        }
        unsent
    }
}

/// Takes a message away; an empty one is left.
fn take(message: &mut Message) -> Message {
    std::mem::replace(message, Message::single(Frame::empty()))
}
