//! The side that says who it is.

use crate::layout::{HELLO, INITIATE, READY, parse_mangled_error, parse_metadata, parse_welcome};
use crate::{LONGEST, NAME};
use alloc::vec::Vec;
use core::mem::{replace, take};
use zeroize::Zeroizing;
use zmtp_wire::command::status_of_reason;
use zmtp_wire::{Error, Established, Mechanism, Misbehaved, Refused, Step, Verdict};

/// One PLAIN handshake of a client.
///
/// ```text
/// Hello --polled--> AwaitWelcome --WELCOME--> Initiate --polled--> AwaitReady --READY--> Established
/// ```
///
/// Anything else ends in `Failed`. ERROR is heeded by the session, libzmq's spelling of it here.
pub struct Client {
    username: Vec<u8>,
    password: Zeroizing<Vec<u8>>,
    metadata: Vec<u8>,
    state: State,
}

enum State {
    Hello,
    AwaitWelcome,
    Initiate,
    AwaitReady,
    Established(Vec<u8>),
    Failed(Error),
}

/// A name or a password of more than 255 octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong {
    /// Its octets.
    pub length: usize,
}

impl core::fmt::Display for TooLong {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            out,
            "a name or password of {} octets, {LONGEST} are the most",
            self.length
        )
    }
}

impl core::error::Error for TooLong {}

impl Client {
    /// A handshake as this user. The password is wiped when it was sent, or when this is dropped.
    ///
    /// # Errors
    /// When either has more than 255 octets.
    pub fn new(username: &[u8], password: &[u8]) -> Result<Self, TooLong> {
        for octets in [username, password] {
            if octets.len() > LONGEST {
                return Err(TooLong {
                    length: octets.len(),
                });
            }
        }
        Ok(Self {
            username: username.to_vec(),
            password: Zeroizing::new(password.to_vec()),
            metadata: Vec::new(),
            state: State::Hello,
        })
    }

    fn read(&self, body: &[u8]) -> Result<State, Error> {
        if let Some(reason) = parse_mangled_error(body) {
            return Err(Refused::ByPeer(status_of_reason(reason?)).into());
        }
        match &self.state {
            State::AwaitWelcome => parse_welcome(body).map(|()| State::Initiate),
            State::AwaitReady => {
                parse_metadata(body, READY).map(|metadata| State::Established(metadata.to_vec()))
            }
            State::Failed(error) => Err(*error),
            _ => Err(Misbehaved::UnexpectedCommand.into()),
        }
    }
}

impl Mechanism for Client {
    fn name(&self) -> [u8; 20] {
        NAME
    }

    fn as_server(&self) -> bool {
        false
    }

    fn start(&mut self, metadata: &[u8]) {
        self.metadata = metadata.to_vec();
    }

    fn handle_command(&mut self, body: &[u8]) -> Result<(), Error> {
        let next = self.read(body);
        self.state = next.inspect_err(|error| self.state = State::Failed(*error))?;
        Ok(())
    }

    fn poll(&mut self, out: &mut Vec<u8>) -> Step {
        match &mut self.state {
            State::Hello => {
                let password = replace(&mut self.password, Zeroizing::new(Vec::new()));
                out.extend_from_slice(HELLO);
                for octets in [&take(&mut self.username), &*password] {
                    // No longer than 255, by the constructor.
                    out.push(octets.len() as u8);
                    out.extend_from_slice(octets);
                }
                self.state = State::AwaitWelcome;
                Step::Command
            }
            State::Initiate => {
                out.extend_from_slice(INITIATE);
                out.append(&mut self.metadata);
                self.state = State::AwaitReady;
                Step::Command
            }
            State::Established(metadata) => Step::Established(Established {
                metadata: take(metadata),
                transform: None,
            }),
            State::Failed(error) => Step::Failed(*error),
            State::AwaitWelcome | State::AwaitReady => Step::Wait,
        }
    }

    /// A client asks nobody.
    fn handle_verdict(&mut self, _: &Verdict) {}
}

impl core::fmt::Debug for Client {
    /// Secrets stay out of logs.
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(out, "Client(\"{}\", ..)", self.username.escape_ascii())
    }
}
