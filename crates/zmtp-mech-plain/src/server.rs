//! The side that lets in, or does not.

use crate::NAME;
use crate::layout::{INITIATE, READY, WELCOME, parse_hello, parse_metadata};
use alloc::vec::Vec;
use core::mem::take;
use zmtp_wire::command::Command;
use zmtp_wire::{Credentials, Error, Established, Mechanism, Misbehaved, Refused, Step, Verdict};

/// One PLAIN handshake of a server.
///
/// ```text
/// AwaitHello --HELLO--> Ask --polled--> Judging --accepted--> Welcome --polled--> AwaitInitiate
///                                              \--refused---> Refuse --polled--> Failed
/// AwaitInitiate --INITIATE--> Ready --polled--> Established
/// ```
#[derive(Default)]
pub struct Server {
    metadata: Vec<u8>,
    state: State,
}

#[derive(Default)]
enum State {
    #[default]
    AwaitHello,
    Ask {
        username: Vec<u8>,
        password: Vec<u8>,
    },
    Judging,
    Welcome,
    AwaitInitiate,
    Ready(Vec<u8>),
    Established(Vec<u8>),
    Refuse(u16),
    Failed(Error),
}

impl Server {
    /// A handshake that asks its owner for a verdict about every name and password.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            metadata: Vec::new(),
            state: State::AwaitHello,
        }
    }

    fn read(&self, body: &[u8]) -> Result<State, Error> {
        match &self.state {
            State::AwaitHello => parse_hello(body).map(|(username, password)| State::Ask {
                username: username.to_vec(),
                password: password.to_vec(),
            }),
            State::AwaitInitiate => {
                parse_metadata(body, INITIATE).map(|metadata| State::Ready(metadata.to_vec()))
            }
            State::Failed(error) => Err(*error),
            _ => Err(Misbehaved::UnexpectedCommand.into()),
        }
    }
}

impl Mechanism for Server {
    fn name(&self) -> [u8; 20] {
        NAME
    }

    fn as_server(&self) -> bool {
        true
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
            State::Ask { username, password } => {
                let credentials = Credentials::Plain {
                    username: take(username),
                    password: take(password),
                };
                self.state = State::Judging;
                Step::Authenticate(credentials)
            }
            State::Welcome => {
                out.extend_from_slice(WELCOME);
                self.state = State::AwaitInitiate;
                Step::Command
            }
            State::Ready(theirs) => {
                out.extend_from_slice(READY);
                out.append(&mut self.metadata);
                self.state = State::Established(take(theirs));
                Step::Command
            }
            State::Established(theirs) => Step::Established(Established {
                metadata: take(theirs),
                transform: None,
            }),
            State::Refuse(status) => {
                let reason = reason(*status);
                let failed = Error::Refused(Refused::ByVerdict(*status));
                self.state = State::Failed(failed);
                // A temporary refusal is not told to the peer: it may try again (RFC 27).
                let Some(reason) = reason else {
                    return Step::Failed(failed);
                };
                // In the right spelling. libzmq's client knows only its own, and closes at either.
                Command::Error(reason).emit(out);
                Step::Command
            }
            State::Failed(error) => Step::Failed(*error),
            State::AwaitHello | State::Judging | State::AwaitInitiate => Step::Wait,
        }
    }

    fn handle_verdict(&mut self, verdict: &Verdict) {
        if matches!(self.state, State::Judging) {
            self.state = match verdict {
                Verdict::Accept(_) => State::Welcome,
                Verdict::Refuse(status) => State::Refuse(*status),
            };
        }
    }
}

/// What the peer is told: nothing for a temporary refusal, an internal error for anything that is no ZAP status.
fn reason(status: u16) -> Option<&'static [u8]> {
    match status {
        300 => None,
        400 => Some(b"400"),
        _ => Some(b"500"),
    }
}

impl core::fmt::Debug for Server {
    /// Secrets stay out of logs.
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str("Server(..)")
    }
}
