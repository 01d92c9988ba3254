//! The ZAP client (RFC 27): the driver asks whatever socket is bound at `inproc://zeromq.zap.01`, and never waits for it.
//!
//! All questions of a context go through one DEALER that no application sees. A question has a number that is never used again,
//! so an answer that comes late, twice or uncalled-for lets nobody in. What a handler sends that names no question ends the
//! oldest one, which it most likely was meant for. A handler that does not answer costs the peers it was asked about their
//! handshake time and everybody else nothing; one whose queue is full is not asked at all.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use zap::{Reply, ReplyError, Request};
use zmq_patterns::{Attach, Pattern, PeerKey};
use zmtp_wire::{Credentials, Frame, Message, SocketType};

use crate::connecting::INPROC;
use crate::context::token;
use crate::core::Core;
use crate::counters::Loss;
use crate::driver::Driver;
use crate::effects::Effects;
use crate::monitor::{CloseReason, Unasked};
use crate::options::SocketOptions;
use crate::pipe::PeerFacts;
use crate::security::Judgement;
use crate::shared::SocketShared;
use crate::wakers::driver_waker;

/// Most answers of a handler that are read before others have their turn.
const TURN_ANSWERS: usize = 64;

/// Most questions that wait in a handler's queue, beside what its own mark allows.
const QUESTIONS: u32 = 1024;

/// Most questions that a handler has and has not looked at, whatever its mark allows.
const UNUSED: usize = 4096;

/// Most answers that wait to be read, beside what the handler's own mark allows.
const ANSWERS: u32 = 1024;

/// What to ask about a peer.
pub(crate) struct Ask {
    pub(crate) shaking: u64,
    /// What happens when there is no handler.
    pub(crate) or_accept: bool,
    pub(crate) domain: Bytes,
    pub(crate) address: Bytes,
    pub(crate) identity: Bytes,
    pub(crate) credentials: Credentials,
}

/// The socket that asks, and what it has asked.
pub(crate) struct Asking {
    socket: Arc<SocketShared>,
    /// Its place among those who wait for the socket.
    place: usize,
    /// Whom it asked last, and the pipe to it.
    handler: Weak<SocketShared>,
    peer: Option<PeerKey>,
    next: u64,
    /// Handshakes that wait, by the number of their question.
    open: BTreeMap<u64, u64>,
}

impl Driver {
    /// Asks the handler. Its answer comes to `judge`, or `end_shaking` hears why there is none.
    pub(crate) fn ask_handler(&mut self, ask: Ask) -> Result<(), Unasked> {
        let name = zap::ENDPOINT.strip_prefix(INPROC).unwrap_or_default();
        let Some((handler, handler_type)) = self.ctx.names().find(name) else {
            return Err(Unasked::NoHandler);
        };
        if !SocketType::Dealer.accepts(handler_type) {
            return Err(Unasked::HandlerType(handler_type));
        }
        if self.asking.is_none() {
            self.asking = Some(self.open_asking().map_err(|_| Unasked::HandlerBusy)?);
        }
        // An earlier handler may be gone without our having heard of it yet.
        self.hear_handler();
        let Some(asking) = &mut self.asking else {
            return Err(Unasked::HandlerLeft);
        };
        if !asking.is_joined_to(&handler) {
            // Another handler has taken the name, or the lane to this one is lost: no answer will come to what was asked.
            let orphans = std::mem::take(&mut asking.open);
            for shaking in orphans.into_values() {
                self.end_shaking(shaking, CloseReason::Unasked(Unasked::HandlerLeft));
            }
        }
        let Some(asking) = &mut self.asking else {
            return Err(Unasked::HandlerLeft);
        };
        asking.join(&handler);
        asking.next += 1;
        let number = asking.next;
        let shaking = ask.shaking;
        asking.send(number, ask)?;
        asking.open.insert(number, shaking);
        if let Some(shaking) = self.shaking.get_mut(&shaking) {
            shaking.question = Some(number);
        }
        Ok(())
    }

    fn open_asking(&self) -> std::io::Result<Asking> {
        let options = SocketOptions {
            send_hwm: Some(QUESTIONS),
            recv_hwm: Some(ANSWERS),
            ..SocketOptions::default()
        };
        let ctx = &self.ctx;
        let pattern = Pattern::new(SocketType::Dealer, ctx.random.next());
        let core = Core::new(SocketType::Dealer, pattern, options, ctx.clock.clone());
        let socket = SocketShared::open(ctx, ctx.id(), core)?;
        let place = socket.waking.enter_task();
        let asking = Asking {
            socket,
            place,
            handler: Weak::new(),
            peer: None,
            next: 0,
            open: BTreeMap::new(),
        };
        asking.listen();
        Ok(asking)
    }

    /// Reads what the handler has said.
    pub(crate) fn hear_handler(&mut self) {
        for _ in 0..TURN_ANSWERS {
            let Some(asking) = &mut self.asking else {
                return;
            };
            asking.listen();
            match asking.receive() {
                Some(message) => {
                    if let Some((shaking, answer)) = asking.match_answer(&message) {
                        self.answered(shaking, answer);
                    }
                }
                None => {
                    let orphans = asking.orphans();
                    for shaking in orphans {
                        if self.outlasts_handler(shaking) {
                            // Who tries again would be let in, now that there is nobody to ask: its handshake runs into its
                            // bound instead.
                            continue;
                        }
                        let reason = CloseReason::Unasked(Unasked::HandlerLeft);
                        self.end_shaking(shaking, reason);
                    }
                    return;
                }
            }
        }
        // A flood: others first.
        let token = token::HANDLER;
        self.ctx.command(crate::context::Command::Woken { token });
    }

    /// Whether this handshake goes on waiting when its handler is gone.
    fn outlasts_handler(&self, shaking: u64) -> bool {
        let shaking = self.shaking.get(&shaking);
        shaking.is_some_and(|shaking| shaking.terms.outlast_handler)
    }

    fn answered(&mut self, shaking: u64, answer: Result<Reply, ReplyError>) {
        match answer {
            Ok(reply) => {
                let why = String::from_utf8_lossy(&reply.text).into_owned();
                let verdict = reply.into_verdict();
                self.judge(shaking, Judgement { verdict, why });
            }
            Err(error) => {
                let reason = CloseReason::Unasked(Unasked::BadReply(error));
                self.end_shaking(shaking, reason);
            }
        }
    }

    /// The driver ends: the handler hears that nobody asks any more.
    pub(crate) fn end_asking(&mut self) {
        if let Some(asking) = self.asking.take() {
            asking.leave();
        }
    }
}

impl Asking {
    /// Has the driver called at the next change.
    fn listen(&self) {
        let waker = driver_waker(&self.socket.ctx, token::HANDLER);
        self.socket.waking.set_waker(self.place, &waker);
    }

    /// Whether the handler that was asked last is still there.
    fn is_joined(&self) -> bool {
        let mut core = self.socket.lock();
        self.peer
            .is_some_and(|key| core.pipe(key).is_some_and(|pipe| pipe.live))
    }

    fn is_joined_to(&self, handler: &Arc<SocketShared>) -> bool {
        std::ptr::eq(self.handler.as_ptr(), Arc::as_ptr(handler)) && self.is_joined()
    }

    /// Makes sure that there is a lane to the handler that is bound now.
    fn join(&mut self, handler: &Arc<SocketShared>) {
        if self.is_joined_to(handler) {
            return;
        }
        self.close_lanes();
        self.handler = Arc::downgrade(handler);
        let mut core = self.socket.lock();
        let dialer = self.socket.ctx.id();
        let facts = PeerFacts {
            endpoint: zap::ENDPOINT.to_owned(),
            ..PeerFacts::default()
        };
        let attach = Attach {
            dialed: true,
            routing_id: None,
            immediate: true,
            inproc: true,
        };
        let key = core.attach(Some(dialer), facts, attach);
        drop(core);
        self.peer = Some(key);
        crate::meeting::meet(&self.socket, (key, dialer), handler, zap::ENDPOINT);
    }

    fn send(&self, number: u64, ask: Ask) -> Result<(), Unasked> {
        let request = Request {
            id: number.to_string().into_bytes().into(),
            domain: ask.domain,
            address: ask.address,
            identity: ask.identity,
            credentials: ask.credentials.into(),
        };
        let mut message = request.to_message();
        message.push_front(Frame::empty());
        let mut effects = Effects::default();
        let mut core = self.socket.enter(&mut effects);
        // A handler without a mark would keep the questions of all who came and went while it was busy.
        let waiting = self.peer.map_or(0, |key| core.handed_and_unused(key));
        let sent = if waiting < UNUSED {
            core.send(&mut message, &mut effects)
                .map_err(|_| Unasked::HandlerBusy)
        } else {
            Err(Unasked::HandlerBusy)
        };
        drop(core);
        self.socket.run(effects);
        sent
    }

    fn receive(&self) -> Option<Message> {
        loop {
            let mut effects = Effects::default();
            let mut core = self.socket.enter(&mut effects);
            let mut message = Message::single(Frame::empty());
            let received = core.receive(&mut message, &mut effects);
            drop(core);
            self.socket.run(effects);
            match received {
                Ok(()) => return Some(message),
                // The handler may have gathered more.
                Err(_) if self.socket.fetch() => {}
                Err(_) => return None,
            }
        }
    }

    /// Finds the handshake an answer is about.
    fn match_answer(&mut self, message: &Message) -> Option<(u64, Result<Reply, ReplyError>)> {
        let frames = message.frames();
        let named = frames
            .get(1..)
            .and_then(Reply::id_of)
            .and_then(|id| std::str::from_utf8(id).ok())
            .and_then(|id| id.parse::<u64>().ok());
        let number = match named {
            Some(number) if self.open.contains_key(&number) => number,
            // Too late, or a second time.
            Some(number) if number > 0 && number <= self.next => return None,
            _ => self.open.keys().next().copied()?,
        };
        let shaking = self.open.remove(&number)?;
        let id = number.to_string();
        Some((shaking, Reply::parse_delimited(frames, id.as_bytes())))
    }

    /// The handshake of a question has ended.
    pub(crate) fn forget(&mut self, number: u64) {
        self.open.remove(&number);
    }

    /// The handshakes that wait for a handler that is gone.
    fn orphans(&mut self) -> Vec<u64> {
        if self.is_joined() {
            return Vec::new();
        }
        self.peer = None;
        std::mem::take(&mut self.open).into_values().collect()
    }

    fn leave(self) {
        self.close_lanes();
        self.socket.waking.leave_task(self.place);
    }

    fn close_lanes(&self) {
        let mut effects = Effects::default();
        let mut core = self.socket.enter(&mut effects);
        for key in core.keys() {
            core.close_lane(key, &mut effects);
            core.detach(key, Loss::PeerLeft);
        }
        drop(core);
        self.socket.run(effects);
    }
}
