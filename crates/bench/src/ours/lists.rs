//! Lists of messages, as an application has them that sends and receives many at once.

use std::cmp::min;

use peer_script::of_size;
use zmq::{Frame, Message, RecvError};

use super::opening::Result;

/// Messages a call.
pub(crate) const LIST: usize = 64;

/// Fills the list with as many as a call takes, or as are left.
pub(super) fn fill(list: &mut Vec<Message>, octets: &'static [u8], left: &mut u64) {
    let count = min(*left, LIST as u64);
    let messages = (0..count).map(|_| Message::from(Frame::from_static(octets)));
    list.extend(messages);
    *left -= count;
}

/// Looks at what was received, and lets go of it.
pub(super) fn check(list: &mut Vec<Message>, size: usize) -> Result<()> {
    for message in list.drain(..) {
        of_size(message.byte_len(), size)?;
    }
    Ok(())
}

/// How many the next call is to receive.
pub(super) fn most(left: u64) -> usize {
    min(left, LIST as u64) as usize
}

/// Takes what is behind the first message, one by one. Says how many they are with it.
pub(super) fn drain(
    mut next: impl FnMut() -> std::result::Result<Message, RecvError>,
    size: usize,
    most: usize,
) -> Result<u64> {
    let mut count = 1;
    while count < most
        && let Ok(message) = next()
    {
        of_size(message.byte_len(), size)?;
        count += 1;
    }
    Ok(count as u64)
}
