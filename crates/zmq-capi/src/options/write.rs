//! `zmq_setsockopt`.

use std::ffi::{c_int, c_void};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use zmq_engine::{PatternOption, SocketOption, SocketType};

use super::table::{self, id};
use super::{Settings, keys};
use crate::boundary::{Outcome, done};
use crate::errno::Errno;
use crate::hearing::Hearing;
use crate::raw;
use crate::socket::{SocketHandle, usable};

/// Octets of a text or a routing id.
const TEXT: usize = 255;

/// Octets of an interface's name (`IFNAMSIZ`).
const DEVICE: usize = 16;

/// Sets an option of a socket.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_setsockopt(
    handle: *mut c_void,
    option: c_int,
    value: *const c_void,
    length: usize,
) -> c_int {
    done(|| {
        let held = usable(handle)?;
        // Null takes some options back, which is not the same as no octets.
        let octets = raw::octets(value, length);
        if octets.is_none() {
            return Err(Errno::INVALID);
        }
        held.set_option(option, octets.filter(|_| !value.is_null()))
    })
}

fn int(value: Option<&[u8]>) -> Outcome {
    let octets = value.and_then(|octets| octets.try_into().ok());
    Ok(c_int::from_ne_bytes(octets.ok_or(Errno::INVALID)?))
}

fn shared(value: Option<&[u8]>) -> Option<Bytes> {
    value
        .filter(|octets| !octets.is_empty())
        .map(Bytes::copy_from_slice)
}

impl SocketHandle {
    /// `None` stands for a null pointer.
    fn set_option(&self, option: c_int, value: Option<&[u8]>) -> Outcome<()> {
        if let Some(row) = table::find(option) {
            let value = int(value)?;
            if !row.allows(value) {
                return Err(Errno::INVALID);
            }
            return self.set_int(option, value);
        }
        let octets = value.unwrap_or_default();
        match option {
            id::IPV4ONLY => match int(value)? {
                value @ 0..=1 => self.set_int(id::IPV6, 1 - value),
                _ => Err(Errno::INVALID),
            },
            id::AFFINITY => {
                let octets = octets.try_into().map_err(|_| Errno::INVALID)?;
                self.settings().affinity = u64::from_ne_bytes(octets);
                Ok(())
            }
            id::MAXMSGSIZE => {
                let octets = octets.try_into().map_err(|_| Errno::INVALID)?;
                let mut settings = self.settings();
                settings.max_message = i64::from_ne_bytes(octets);
                let limits = settings.limits();
                drop(settings);
                self.tell(SocketOption::Limits(Box::new(limits)))
            }
            id::SUBSCRIBE | id::UNSUBSCRIBE => self.subscribe(option, octets),
            id::ROUTING_ID => {
                if octets.is_empty() || octets.len() > TEXT {
                    return Err(Errno::INVALID);
                }
                self.tell(SocketOption::RoutingId(Bytes::copy_from_slice(octets)))?;
                self.settings().set_text(option, octets);
                Ok(())
            }
            id::CONNECT_ROUTING_ID => {
                if octets.is_empty() || self.kind() != SocketType::Router {
                    return Err(Errno::INVALID);
                }
                self.tell(SocketOption::ConnectRoutingId(Bytes::copy_from_slice(
                    octets,
                )))
            }
            id::XPUB_WELCOME_MSG | id::HELLO_MSG | id::DISCONNECT_MSG | id::HICCUP_MSG => {
                self.set_own_message(option, shared(value))
            }
            id::METADATA => self.set_metadata(octets),
            id::TCP_ACCEPT_FILTER
            | id::IPC_FILTER_PID
            | id::IPC_FILTER_UID
            | id::IPC_FILTER_GID => self.set_filter(option, value),
            id::ZAP_DOMAIN | id::PLAIN_USERNAME | id::PLAIN_PASSWORD => {
                self.set_credential(option, value)
            }
            id::CURVE_PUBLICKEY | id::CURVE_SECRETKEY | id::CURVE_SERVERKEY => {
                self.set_key(option, octets)
            }
            id::SOCKS_PROXY | id::SOCKS_USERNAME | id::SOCKS_PASSWORD | id::BINDTODEVICE => {
                self.set_text(option, value)
            }
            _ => Err(Errno::INVALID),
        }
    }

    /// A message that the pattern sends or delivers by itself.
    fn set_own_message(&self, option: c_int, message: Option<Bytes>) -> Outcome<()> {
        self.tell_pattern(match option {
            id::XPUB_WELCOME_MSG => PatternOption::WelcomeMessage(message),
            id::HELLO_MSG => PatternOption::HelloMessage(message),
            id::DISCONNECT_MSG => PatternOption::DisconnectMessage(message),
            _ => PatternOption::HiccupMessage(message),
        })
    }

    fn set_key(&self, option: c_int, octets: &[u8]) -> Outcome<()> {
        let key = keys::parse(octets).ok_or(Errno::INVALID)?;
        let mut settings = self.settings();
        settings.keys.insert(option, key);
        settings.mechanism = id::CURVE;
        if option == id::CURVE_SERVERKEY {
            settings.as_server = false;
        }
        self.tell_security(&settings)
    }

    fn set_int(&self, option: c_int, value: c_int) -> Outcome<()> {
        match option {
            id::RCVTIMEO => self.recv_timeout.store(value, Ordering::Relaxed),
            id::SNDTIMEO => self.send_timeout.store(value, Ordering::Relaxed),
            id::SNDHWM => {
                self.hear(|hearing| hearing.set_mark(usize::try_from(value).unwrap_or(0)))
            }
            id::USE_FD => self.settings().use_fd = duplicate(value)?,
            _ => {}
        }
        if let Some(choice) = super::apply::choice(option, value) {
            let told = self.tell_pattern(choice);
            // Every socket takes this one, and keeps it.
            if option != id::INVERT_MATCHING {
                told?;
            }
        }
        if option == id::XPUB_NODROP || option == id::ROUTER_MANDATORY {
            self.hear(|hearing| hearing.set_strict(value != 0));
        }
        let mut settings = self.settings();
        settings.put(option, value);
        if option == id::PLAIN_SERVER || option == id::CURVE_SERVER {
            settings.as_server = value == 1;
            settings.mechanism = match (value, option) {
                (0, _) => id::NULL,
                (_, id::PLAIN_SERVER) => id::PLAIN,
                _ => id::CURVE,
            };
            return self.tell_security(&settings);
        }
        if option == id::ZAP_ENFORCE_DOMAIN {
            return self.tell_security(&settings);
        }
        let Some(change) = settings.change_of(option) else {
            return Ok(());
        };
        drop(settings);
        self.tell(change)
    }

    fn hear(&self, change: impl FnOnce(&Hearing)) {
        if let Some(hearing) = &self.hearing {
            change(hearing);
        }
    }

    fn set_text(&self, option: c_int, value: Option<&[u8]>) -> Outcome<()> {
        // Null takes it back; an empty text names no proxy.
        if option == id::SOCKS_PROXY && value.is_some_and(<[u8]>::is_empty) {
            return Err(Errno::INVALID);
        }
        let octets = value.unwrap_or_default();
        let longest = if option == id::BINDTODEVICE {
            DEVICE
        } else {
            TEXT
        };
        if octets.len() > longest || std::str::from_utf8(octets).is_err() {
            return Err(Errno::INVALID);
        }
        let mut settings = self.settings();
        settings.set_text(option, without_zero(octets));
        let Some(change) = settings.change_of(option) else {
            return Ok(());
        };
        drop(settings);
        self.tell(change)
    }

    fn set_credential(&self, option: c_int, value: Option<&[u8]>) -> Outcome<()> {
        let mut settings = self.settings();
        let octets = match value {
            Some(octets) if !octets.is_empty() && octets.len() <= TEXT => octets,
            None if option != id::ZAP_DOMAIN => {
                settings.mechanism = id::NULL;
                return self.tell_security(&settings);
            }
            _ => return Err(Errno::INVALID),
        };
        settings.set_text(option, octets);
        if option != id::ZAP_DOMAIN {
            settings.mechanism = id::PLAIN;
            settings.as_server = false;
        }
        self.tell_security(&settings)
    }

    fn set_metadata(&self, octets: &[u8]) -> Outcome<()> {
        let text = std::str::from_utf8(octets).map_err(|_| Errno::INVALID)?;
        let (name, value) = text.split_once(':').ok_or(Errno::INVALID)?;
        if name.len() <= 2 || name.len() > TEXT || !name.starts_with("X-") {
            return Err(Errno::INVALID);
        }
        let mut settings = self.settings();
        settings
            .metadata
            .push((name.to_owned(), Bytes::copy_from_slice(value.as_bytes())));
        let metadata = settings.metadata.clone();
        drop(settings);
        self.tell(SocketOption::Properties(metadata))
    }

    fn subscribe(&self, option: c_int, topic: &[u8]) -> Outcome<()> {
        // An XSUB subscribes by messages.
        if self.kind() == SocketType::XSub {
            return Err(Errno::INVALID);
        }
        if option == id::SUBSCRIBE {
            self.socket.subscribe(topic)
        } else {
            self.socket.unsubscribe(topic)
        }
        .map_err(Errno::from)
    }

    pub(super) fn tell(&self, change: SocketOption) -> Outcome<()> {
        self.socket.set(change).map_err(Errno::from)
    }

    fn tell_pattern(&self, choice: PatternOption) -> Outcome<()> {
        self.tell(SocketOption::Pattern(choice))
    }

    /// How peers are authenticated from now on.
    fn tell_security(&self, settings: &Settings) -> Outcome<()> {
        settings
            .security()?
            .into_iter()
            .try_for_each(|change| self.tell(change))
    }
}

/// Texts may be set with the zero that ends them.
fn without_zero(octets: &[u8]) -> &[u8] {
    octets.strip_suffix(&[0]).unwrap_or(octets)
}

/// A copy of a descriptor that the socket is to listen on; -1 takes it back.
fn duplicate(fd: c_int) -> Outcome<Option<Arc<std::os::fd::OwnedFd>>> {
    let Some(fd): Option<BorrowedFd<'_>> = raw::descriptor(fd) else {
        return Ok(None);
    };
    let copy = fd.try_clone_to_owned();
    Ok(Some(Arc::new(copy.map_err(|error| Errno::from(&error))?)))
}
