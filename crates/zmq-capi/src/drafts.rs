//! Functions of the draft API that have no family of their own.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;

use bytes::Bytes;
use zmq_engine::{Properties, SocketType};

use crate::boundary::{Outcome, answer, done, number};
use crate::errno::Errno;
use crate::raw::{self, Part, ZmqMsg};
use crate::socket::usable;

/// Octets of a group's name.
const GROUP: usize = 255;

/// A property as C reads it. The text belongs to the part: what was given out before stays where it is.
pub(crate) fn property_text(part: &mut Part, name: &str) -> Option<*const c_char> {
    let properties = part.properties.as_ref()?;
    // No name of the wire begins with a zero.
    let known = format!("\0{name}");
    if let Some(text) = properties.get(&known) {
        return Some(raw::as_c_text(text));
    }
    let value = properties.get(name)?;
    let mut text = value.to_vec();
    text.push(0);
    let text = Bytes::from(text);
    let place = raw::as_c_text(&text);
    let mut extended: Properties = properties.as_ref().clone();
    extended.push(&known, text);
    part.properties = Some(Arc::new(extended));
    Some(place)
}

fn part<'a>(message: *mut ZmqMsg) -> Outcome<&'a mut Part> {
    raw::part(message).ok_or(Errno::FAULT)
}

/// Names the peer a SERVER sends to.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_set_routing_id(message: *mut ZmqMsg, routing_id: u32) -> c_int {
    done(|| {
        if routing_id == 0 {
            return Err(Errno::INVALID);
        }
        part(message)?.routing_id = routing_id;
        Ok(())
    })
}

/// The peer a SERVER received from.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_routing_id(message: *mut ZmqMsg) -> u32 {
    answer(0, || Ok(part(message)?.routing_id))
}

/// Names the group of a RADIO's message.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_set_group(message: *mut ZmqMsg, group: *const c_char) -> c_int {
    done(|| {
        let name = raw::text(group).ok_or(Errno::INVALID)?;
        if name.len() > GROUP {
            return Err(Errno::INVALID);
        }
        let mut text = name.to_vec();
        text.push(0);
        part(message)?.group = Some(Box::new(text.into_boxed_slice()));
        Ok(())
    })
}

/// The group of a DISH's message; empty if it has none.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_group(message: *mut ZmqMsg) -> *const c_char {
    answer(ptr::null(), || {
        Ok(match &part(message)?.group {
            Some(text) => raw::as_c_text(text),
            None => c"".as_ptr(),
        })
    })
}

/// Joins a group: there are no DISH sockets yet.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_join(handle: *mut c_void, _group: *const c_char) -> c_int {
    done(|| usable(handle).and(Err(Errno::NOT_SUPPORTED)))
}

/// Leaves a group: there are no DISH sockets yet.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_leave(handle: *mut c_void, _group: *const c_char) -> c_int {
    done(|| usable(handle).and(Err(Errno::NOT_SUPPORTED)))
}

/// Connects and answers the routing id of the peer: there are no PEER sockets yet.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_connect_peer(handle: *mut c_void, _address: *const c_char) -> u32 {
    answer(0, || usable(handle).and(Err(Errno::NOT_SUPPORTED)))
}

/// Disconnects one peer: there are no SERVER and PEER sockets yet.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_disconnect_peer(handle: *mut c_void, _routing_id: u32) -> c_int {
    done(|| usable(handle).and(Err(Errno::NOT_SUPPORTED)))
}

/// Whether a peer of a ROUTER could be sent to.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_socket_get_peer_state(
    handle: *mut c_void,
    routing_id: *const c_void,
    length: usize,
) -> c_int {
    number(|| {
        let held = usable(handle)?;
        if held.kind() != SocketType::Router {
            return Err(Errno::NOT_SUPPORTED);
        }
        let id = raw::octets(routing_id, length).ok_or(Errno::INVALID)?;
        let peers = held.socket.peers();
        let peer = peers
            .iter()
            .find(|peer| peer.routing_id.as_deref() == Some(id))
            .ok_or(Errno::UNREACHABLE)?;
        let mark = held.settings().send_mark();
        let room = mark.is_none_or(|mark| peer.queued_out < mark);
        Ok(c_int::from(room) * c_int::from(crate::polling::POLLOUT)
            + c_int::from(peer.queued_in > 0) * c_int::from(crate::polling::POLLIN))
    })
}
