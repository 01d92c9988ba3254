//! The peers: plain tcp streams that shake hands and then say nothing, or leave.

use std::io;
use std::os::fd::AsFd;

use zmq_engine::SocketType;
use zmq_testkit::octets::{command, frame, message, pong};
use zmq_testkit::script::TcpPeer;

/// A peer that has shaken hands with a socket of this type; it subscribes to everything where that makes sense.
pub(crate) fn connect(endpoint: &str, kind: SocketType) -> io::Result<TcpPeer> {
    let mut peer = TcpPeer::dial(endpoint)?;
    peer.shake(match kind {
        SocketType::Router => "DEALER",
        SocketType::Pub => "SUB",
        SocketType::Rep => "REQ",
        _ => "PUSH",
    });
    if kind == SocketType::Pub {
        peer.say(&command("SUBSCRIBE", b"news"));
    }
    Ok(peer)
}

/// Says something that the bound socket can take.
pub(crate) fn speak(peer: &mut TcpPeer, kind: SocketType) {
    match kind {
        SocketType::Rep => peer.say(&[frame(1, b""), message(b"a question")].concat()),
        _ => peer.say(&message(&[b'm'; 100])),
    }
}

/// Answers one PING of each.
pub(crate) fn answer_pings(peers: &mut [TcpPeer]) -> io::Result<()> {
    for peer in peers {
        let (flags, body) = peer.frame()?;
        if flags & 4 == 0 || !body.starts_with(b"\x04PING") {
            return Err(io::Error::other("something else than a PING came"));
        }
        peer.say(&pong(body.get(7..).unwrap_or_default()));
    }
    Ok(())
}

/// Leaves without a word: the other end is told by a reset.
pub(crate) fn vanish(peer: &TcpPeer) -> io::Result<()> {
    let at_once = Some(std::time::Duration::ZERO);
    rustix::net::sockopt::set_socket_linger(peer.stream().as_fd(), at_once)?;
    Ok(())
}
