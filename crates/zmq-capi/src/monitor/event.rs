//! Events of the engine as those of the C library.

use std::collections::{HashMap, HashSet, VecDeque};

use zmq_engine::wire::{Error as WireError, Refused};
use zmq_engine::{CloseReason, Frame, Happening, Message, MonitorEvent, PeerSnapshot, Unasked};

const CONNECTED: u64 = 0x0001;
const CONNECT_DELAYED: u64 = 0x0002;
const CONNECT_RETRIED: u64 = 0x0004;
const LISTENING: u64 = 0x0008;
pub(crate) const BIND_FAILED: u64 = 0x0010;
const ACCEPTED: u64 = 0x0020;
const ACCEPT_FAILED: u64 = 0x0040;
const CLOSED: u64 = 0x0080;
const DISCONNECTED: u64 = 0x0200;
pub(super) const STOPPED: u64 = 0x0400;
const FAILED_NO_DETAIL: u64 = 0x0800;
const SUCCEEDED: u64 = 0x1000;
const FAILED_PROTOCOL: u64 = 0x2000;
const FAILED_AUTH: u64 = 0x4000;
pub(super) const PIPES_STATS: u64 = 0x1_0000;

/// What did not open with the keys there are.
const CRYPTOGRAPHIC: u64 = 0x1100_0001;

/// One event as it is told.
pub(super) struct Event {
    number: u64,
    values: Vec<u64>,
    /// Of this socket's side; empty for a connecting one.
    local: String,
    /// Of the peer's side; empty for a bound one before anybody came.
    remote: String,
    /// What version 1 tells: where this socket is bound, or where it connects to.
    endpoint: String,
}

impl Event {
    pub(super) fn new(number: u64, value: u64, endpoint: &str) -> Event {
        Event {
            number,
            values: vec![value],
            local: endpoint.to_owned(),
            remote: String::new(),
            endpoint: endpoint.to_owned(),
        }
    }

    pub(super) fn of_pipe(peer: &PeerSnapshot) -> Event {
        Event {
            number: PIPES_STATS,
            values: vec![peer.queued_out as u64, peer.queued_in as u64],
            local: String::new(),
            remote: peer.endpoint.clone(),
            endpoint: peer.endpoint.clone(),
        }
    }
}

/// Translates, and remembers what the translation needs.
pub(super) struct Teller {
    version: i32,
    wanted: u64,
    bound: HashSet<String>,
    /// The descriptors of connections whose handshake has not ended, by endpoint, the oldest first.
    shaking: HashMap<String, VecDeque<Option<i32>>>,
}

fn fd(descriptor: Option<i32>) -> u64 {
    u64::from(descriptor.unwrap_or(-1).cast_unsigned())
}

impl Teller {
    pub(super) fn new(version: i32, wanted: u64) -> Teller {
        Teller {
            version,
            wanted,
            bound: HashSet::new(),
            shaking: HashMap::new(),
        }
    }

    /// The frames of an event, if it is wanted.
    pub(super) fn message(&self, event: &Event) -> Option<Message> {
        if self.wanted & event.number == 0 {
            return None;
        }
        if self.version == 1 {
            let value = event.values.first().copied().unwrap_or(0);
            // Version 1 has two octets for the event and four for its value.
            let mut head = (event.number as u16).to_ne_bytes().to_vec();
            head.extend((value as u32).to_ne_bytes());
            return Some(Message::from(vec![
                Frame::from(head),
                Frame::from(event.endpoint.as_str()),
            ]));
        }
        let mut frames = vec![
            Frame::copy_from(&event.number.to_ne_bytes()),
            Frame::copy_from(&(event.values.len() as u64).to_ne_bytes()),
        ];
        for value in &event.values {
            frames.push(Frame::copy_from(&value.to_ne_bytes()));
        }
        frames.push(Frame::from(event.local.as_str()));
        frames.push(Frame::from(event.remote.as_str()));
        Some(Message::from(frames))
    }

    /// What the C library tells of one happening, in order.
    pub(super) fn translate(&mut self, event: &MonitorEvent) -> Vec<Event> {
        // Nothing was ever told of peers within the context.
        if event.endpoint.starts_with("inproc://") {
            return Vec::new();
        }
        match &event.what {
            Happening::Listening { .. } => {
                self.bound.insert(event.endpoint.clone());
            }
            Happening::Accepted { descriptor } | Happening::Connected { descriptor } => {
                let shaking = self.shaking.entry(event.endpoint.clone()).or_default();
                shaking.push_back(*descriptor);
            }
            _ => {}
        }
        let told = self.numbers(event);
        let is_bound = self.bound.contains(&event.endpoint);
        if let Happening::StoppedListening { .. } = event.what {
            self.bound.remove(&event.endpoint);
        }
        told.into_iter()
            .map(|(number, value)| {
                let mut told = Event::new(number, value, &event.endpoint);
                if is_bound {
                    told.remote = event.peer.clone().unwrap_or_default();
                } else {
                    told.remote = std::mem::take(&mut told.local);
                }
                told
            })
            .collect()
    }

    fn numbers(&mut self, event: &MonitorEvent) -> Vec<(u64, u64)> {
        match &event.what {
            Happening::Listening { descriptor } => vec![(LISTENING, fd(*descriptor))],
            Happening::Accepted { descriptor } => vec![(ACCEPTED, fd(*descriptor))],
            Happening::AcceptFailed { errno, .. } => vec![(ACCEPT_FAILED, fd(*errno))],
            Happening::Connecting if event.endpoint.starts_with("tcp://") => {
                vec![(CONNECT_DELAYED, fd(Some(libc::EINPROGRESS)))]
            }
            Happening::Connected { descriptor } => vec![(CONNECTED, fd(*descriptor))],
            Happening::Retrying { after } => {
                vec![(
                    CONNECT_RETRIED,
                    u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
                )]
            }
            Happening::Ready { .. } => {
                self.shaken(&event.endpoint);
                vec![(SUCCEEDED, 0)]
            }
            Happening::StoppedListening { descriptor } => vec![(CLOSED, fd(*descriptor))],
            Happening::Closed {
                reason,
                was_ready,
                descriptor,
            } => {
                let shaking = if *was_ready {
                    None
                } else {
                    self.shaken(&event.endpoint)
                };
                match (reason, shaking) {
                    // What this side does itself is no news.
                    (CloseReason::ByUs, _) => Vec::new(),
                    _ if *was_ready => vec![(DISCONNECTED, fd(*descriptor))],
                    (_, Some(shaking)) => {
                        vec![failed_handshake(reason), (DISCONNECTED, fd(shaking))]
                    }
                    (CloseReason::Io { .. } | CloseReason::ConnectTimeout, None) => {
                        vec![(CLOSED, fd(*descriptor))]
                    }
                    // It was connected before anybody listened to this.
                    (_, None) => vec![failed_handshake(reason), (DISCONNECTED, fd(None))],
                }
            }
            _ => Vec::new(),
        }
    }

    /// A handshake at this endpoint has ended; gives the descriptor it most likely had, if there was one.
    fn shaken(&mut self, endpoint: &str) -> Option<Option<i32>> {
        let shaking = self.shaking.get_mut(endpoint)?;
        let descriptor = shaking.pop_front();
        if shaking.is_empty() {
            self.shaking.remove(endpoint);
        }
        descriptor
    }
}

/// How a handshake failed: the event and its value.
fn failed_handshake(reason: &CloseReason) -> (u64, u64) {
    let errno = |number: i32| (FAILED_NO_DETAIL, u64::from(number.cast_unsigned()));
    match reason {
        CloseReason::Protocol(WireError::Refused(
            Refused::ByPeer(Some(status)) | Refused::ByVerdict(status),
        ))
        | CloseReason::Denied { status, .. } => (FAILED_AUTH, u64::from(*status)),
        CloseReason::Unasked(Unasked::BadReply(error)) => {
            (FAILED_PROTOCOL, u64::from(error.protocol_code()))
        }
        CloseReason::Unasked(_) => errno(libc::EFAULT),
        CloseReason::OtherServerKey => (FAILED_PROTOCOL, CRYPTOGRAPHIC),
        CloseReason::Protocol(WireError::HandshakeTimeout) => errno(libc::ETIMEDOUT),
        CloseReason::Protocol(error) => match error.protocol_code() {
            Some(code) => (FAILED_PROTOCOL, u64::from(code)),
            None => errno(libc::EFAULT),
        },
        CloseReason::Io {
            errno: Some(number),
            ..
        } => errno(*number),
        _ => errno(libc::EPIPE),
    }
}
