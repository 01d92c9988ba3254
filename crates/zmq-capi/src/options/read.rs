//! `zmq_getsockopt`.

use std::ffi::{c_int, c_void};

use zeroize::Zeroizing;

use super::keys;
use super::table::{self, id};
use crate::boundary::{Outcome, done};
use crate::errno::Errno;
use crate::raw;
use crate::socket::{SocketHandle, usable};
use crate::z85;

const POLLIN: c_int = 1;
const POLLOUT: c_int = 2;

/// What an option is, and how much room it wants.
enum Answer {
    /// Exactly as many octets as asked for.
    Exact(Vec<u8>),
    /// As many as fit; the rest of the room becomes zero.
    Within(Vec<u8>),
    /// A text with the zero behind it; the rest of the room becomes zero.
    Text(Zeroizing<Vec<u8>>),
    /// 32 octets, or 40 letters with a zero, by the room there is.
    Key(keys::Key),
}

/// Reads an option of a socket.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_getsockopt(
    handle: *mut c_void,
    option: c_int,
    value: *mut c_void,
    length: *mut usize,
) -> c_int {
    done(|| {
        let held = usable(handle)?;
        let room = raw::get(length).ok_or(Errno::INVALID)?;
        let answer = held.option(option)?;
        let place = raw::octets_mut(value, room).ok_or(Errno::INVALID)?;
        raw::put(length, write(answer, place)?);
        Ok(())
    })
}

/// Writes an answer into the caller's room; answers its length.
fn write(answer: Answer, room: &mut [u8]) -> Outcome<usize> {
    let octets = match answer {
        Answer::Exact(octets) if octets.len() == room.len() => octets.into(),
        Answer::Exact(_) => return Err(Errno::INVALID),
        Answer::Within(octets) => {
            room.get_mut(octets.len()..).unwrap_or_default().fill(0);
            octets.into()
        }
        Answer::Text(octets) => {
            room.get_mut(octets.len()..).unwrap_or_default().fill(0);
            octets
        }
        Answer::Key(key) => match room.len() {
            keys::OCTETS => key.to_vec().into(),
            length if length == keys::LETTERS + 1 => {
                let letters = Zeroizing::new(z85::encode(&*key).ok_or(Errno::INVALID)?);
                text(&letters)
            }
            _ => return Err(Errno::INVALID),
        },
    };
    let place = room.get_mut(..octets.len()).ok_or(Errno::INVALID)?;
    place.copy_from_slice(&octets);
    Ok(octets.len())
}

/// A text with the zero behind it. It may be a secret, so it is not moved about as it grows.
fn text(letters: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut octets = Zeroizing::new(Vec::with_capacity(letters.len().saturating_add(1)));
    octets.extend_from_slice(letters);
    octets.push(0);
    octets
}

fn exact(value: c_int) -> Answer {
    Answer::Exact(value.to_ne_bytes().to_vec())
}

fn within(value: c_int) -> Answer {
    Answer::Within(value.to_ne_bytes().to_vec())
}

impl SocketHandle {
    /// `ZMQ_EVENTS`: does the I/O that is due.
    pub(crate) fn events(&self) -> Outcome {
        self.context.check()?;
        self.exposed.look(&self.socket);
        let events = self.socket.events();
        let readable = events.readable || self.incoming.more();
        let writable = events.writable || self.outgoing.begun();
        Ok(c_int::from(readable) * POLLIN + c_int::from(writable) * POLLOUT)
    }

    fn option(&self, option: c_int) -> Outcome<Answer> {
        match option {
            id::RCVMORE => return Ok(within(c_int::from(self.incoming.more()))),
            id::FD => return Ok(within(self.exposed.expose(&self.socket))),
            id::EVENTS => return Ok(within(self.events()?)),
            id::LAST_ENDPOINT => return Ok(Answer::Text(text(self.last_endpoint().as_bytes()))),
            id::THREAD_SAFE => return Ok(within(0)),
            id::TOPICS_COUNT => return self.topics().map(within),
            _ => {}
        }
        let settings = self.settings();
        if let Some(row) = table::find(option) {
            if !row.readable {
                return Err(Errno::INVALID);
            }
            let value = settings.int(option);
            return Ok(exact(match option {
                // Kept in tenths of a second.
                id::HEARTBEAT_TTL => value / 100 * 100,
                id::PLAIN_SERVER => {
                    c_int::from(settings.is_server() && settings.mechanism == id::PLAIN)
                }
                id::CURVE_SERVER => {
                    c_int::from(settings.is_server() && settings.mechanism == id::CURVE)
                }
                id::INVERT_MATCHING | id::ZAP_ENFORCE_DOMAIN => c_int::from(value != 0),
                _ => value,
            }));
        }
        Ok(match option {
            id::TYPE => exact(settings.kind),
            id::IPV4ONLY => exact(1 - settings.int(id::IPV6)),
            id::MECHANISM => exact(settings.mechanism),
            id::AFFINITY => Answer::Exact(settings.affinity.to_ne_bytes().to_vec()),
            id::MAXMSGSIZE => Answer::Exact(settings.max_message.to_ne_bytes().to_vec()),
            id::ROUTING_ID => Answer::Within(settings.text(option).to_vec()),
            id::PLAIN_USERNAME
            | id::PLAIN_PASSWORD
            | id::ZAP_DOMAIN
            | id::SOCKS_PROXY
            | id::SOCKS_USERNAME
            | id::SOCKS_PASSWORD
            | id::BINDTODEVICE => Answer::Text(text(settings.text(option))),
            id::CURVE_PUBLICKEY | id::CURVE_SECRETKEY | id::CURVE_SERVERKEY => {
                Answer::Key(settings.keys.get(&option).cloned().unwrap_or_default())
            }
            _ => return Err(Errno::INVALID),
        })
    }

    /// Distinct topics: of all peers, or of this subscriber.
    fn topics(&self) -> Outcome {
        self.socket
            .topics_count()
            .map(crate::boundary::clip)
            .ok_or(Errno::INVALID)
    }
}
