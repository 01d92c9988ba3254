//! Socket options: their numbers, what they begin with, and how they are set and read.

mod apply;
mod filter;
mod keys;
mod read;
mod security;
mod table;
mod write;

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use zeroize::Zeroizing;
use zmq_engine::SocketOptions;

use crate::context::Choices;

pub(crate) use read::zmq_getsockopt;
pub(crate) use table::id;
pub(crate) use write::zmq_setsockopt;

/// One more than the largest number of an option.
const NUMBERS: usize = 128;

/// What a socket was told, and answers when it is asked.
pub(crate) struct Settings {
    kind: c_int,
    /// By option number; those that are not numbers are not used.
    ints: [c_int; NUMBERS],
    affinity: u64,
    max_message: i64,
    /// Texts and octets, by option number. Passwords are among them, so all are wiped when they are replaced or dropped.
    texts: BTreeMap<c_int, Zeroizing<Vec<u8>>>,
    /// Wiped as well, for one of them is secret.
    keys: BTreeMap<c_int, keys::Key>,
    mechanism: c_int,
    as_server: bool,
    metadata: Vec<(String, Bytes)>,
    use_fd: Option<Arc<OwnedFd>>,
    filters: filter::Filters,
}

impl Settings {
    pub(crate) fn new(kind: c_int, choices: &Choices) -> Settings {
        let mut ints = [0; NUMBERS];
        for row in table::INTS {
            if let Some(place) = usize::try_from(row.id).ok().and_then(|at| ints.get_mut(at)) {
                *place = row.default;
            }
        }
        let mut settings = Settings {
            kind,
            ints,
            affinity: 0,
            max_message: -1,
            texts: BTreeMap::new(),
            keys: BTreeMap::new(),
            mechanism: id::NULL,
            as_server: false,
            metadata: Vec::new(),
            use_fd: None,
            filters: filter::Filters::default(),
        };
        settings.put(id::IPV6, c_int::from(choices.ipv6));
        // Subscribers have nothing to say that is worth waiting for.
        if matches!(kind, 2 | 10 | 15) || !choices.blocky {
            settings.put(id::LINGER, 0);
        }
        settings
    }

    fn int(&self, id: c_int) -> c_int {
        usize::try_from(id)
            .ok()
            .and_then(|at| self.ints.get(at))
            .copied()
            .unwrap_or(0)
    }

    fn put(&mut self, id: c_int, value: c_int) {
        if let Some(place) = usize::try_from(id)
            .ok()
            .and_then(|at| self.ints.get_mut(at))
        {
            *place = value;
        }
    }

    fn text(&self, id: c_int) -> &[u8] {
        self.texts
            .get(&id)
            .map(|text| text.as_slice())
            .unwrap_or_default()
    }

    fn set_text(&mut self, id: c_int, text: &[u8]) {
        self.texts.insert(id, Zeroizing::new(text.to_vec()));
    }

    /// How long messages may leave after closing.
    pub(crate) fn linger(&self) -> Option<Duration> {
        table::millis(self.int(id::LINGER))
    }

    /// Most messages that may wait for a peer, if that is bounded.
    pub(crate) fn send_mark(&self) -> Option<usize> {
        usize::try_from(self.int(id::SNDHWM))
            .ok()
            .filter(|mark| *mark > 0)
    }

    /// What the engine is told when the socket is opened.
    pub(crate) fn to_engine(&self) -> SocketOptions {
        let mut options = SocketOptions::default();
        options.linger = self.linger();
        options.stream = self.stream();
        options.limits = self.limits();
        // Any message may be asked where it came from.
        options.attach_properties = true;
        options.ping_before_3_1 = true;
        options.outlast_handler = true;
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_wiped<T: zeroize::ZeroizeOnDrop>(_: Option<&T>) {}

    #[test]
    fn passwords_and_keys_are_wiped_when_they_go() {
        let state = crate::context::ContextState::new();
        let mut settings = Settings::new(3, &state.choices());
        settings.set_text(id::PLAIN_PASSWORD, b"open sesame");
        assert_eq!(settings.text(id::PLAIN_PASSWORD), b"open sesame");
        // What is wiped is said by the type, and by nothing that a test could look at without reading memory that is given back.
        is_wiped(settings.texts.values().next());
        is_wiped(settings.keys.values().next());
    }
}
