//! PUB, SUB, XPUB and XSUB (RFC 29).

mod publishing;
mod subscribing;

use bytes::Bytes;
use zmq_patterns::{Attach, Output, Pattern, PeerInfo, PeerKey};
use zmtp_wire::{Frame, Message, SocketType};

const A: PeerKey = PeerKey(0);
const B: PeerKey = PeerKey(1);
const C: PeerKey = PeerKey(2);

fn message(frames: &[&str]) -> Message {
    frames.iter().copied().map(Frame::from).collect()
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn with_peers(socket_type: SocketType, peers: &[PeerKey]) -> Pattern {
    let mut pattern = Pattern::new(socket_type, 0);
    for peer in peers {
        pattern.attach(*peer, Attach::default());
        pattern.link_up(*peer, &PeerInfo::default()).unwrap();
    }
    pattern
}

fn subscribe(pattern: &mut Pattern, peer: PeerKey, topic: &'static str) {
    pattern.handle_subscribe(peer, bytes(topic)).unwrap();
}

fn cancel(pattern: &mut Pattern, peer: PeerKey, topic: &'static str) {
    pattern.handle_cancel(peer, bytes(topic)).unwrap();
}

fn outputs(pattern: &mut Pattern) -> Vec<Output> {
    std::iter::from_fn(|| pattern.poll_output()).collect()
}
