//! The handshake, for sessions that own their buffers.

use crate::NAME;
use alloc::vec::Vec;
use core::mem::take;
use zmtp_wire::command::Command;
use zmtp_wire::{Credentials, Error, Established, Mechanism, Misbehaved, Refused, Step, Verdict};

/// One NULL handshake.
///
/// ```text
/// Ask --polled--> Judging --accepted--> Send --polled--> Sent --peer's READY--> established
///                        \--refused---> Refuse --polled--> Failed
/// ```
#[derive(Debug)]
pub struct Null {
    state: State,
    ours: Vec<u8>,
    theirs: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ask,
    Judging,
    Send,
    Sent,
    Refuse(u16),
    Failed(Error),
}

impl Null {
    /// A handshake that lets everybody in.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: State::Send,
            ours: Vec::new(),
            theirs: None,
        }
    }

    /// With `ask`, the session asks its owner for a verdict before it sends READY.
    #[must_use]
    pub const fn with_authentication(mut self, ask: bool) -> Self {
        self.state = if ask { State::Ask } else { State::Send };
        self
    }
}

impl Default for Null {
    fn default() -> Self {
        Self::new()
    }
}

impl Mechanism for Null {
    fn name(&self) -> [u8; 20] {
        NAME
    }

    /// NULL has no roles; RFC 37 wants zero.
    fn as_server(&self) -> bool {
        false
    }

    fn start(&mut self, metadata: &[u8]) {
        self.ours = metadata.to_vec();
    }

    fn handle_command(&mut self, body: &[u8]) -> Result<(), Error> {
        match Command::parse(body)? {
            Command::Ready(metadata) if self.theirs.is_none() => {
                self.theirs = Some(metadata.to_vec());
                Ok(())
            }
            _ => Err(Misbehaved::UnexpectedCommand.into()),
        }
    }

    fn poll(&mut self, out: &mut Vec<u8>) -> Step {
        match self.state {
            State::Ask => {
                self.state = State::Judging;
                Step::Authenticate(Credentials::Null)
            }
            State::Judging => Step::Wait,
            State::Send => {
                emit(&Command::Ready(&take(&mut self.ours)), out);
                self.state = State::Sent;
                Step::Command
            }
            State::Sent => match self.theirs.take() {
                Some(metadata) => Step::Established(Established {
                    metadata,
                    transform: None,
                }),
                None => Step::Wait,
            },
            State::Refuse(status) => {
                let failed = Error::Refused(Refused::ByVerdict(status));
                self.state = State::Failed(failed);
                // A temporary refusal is not told to the peer: it may try again (RFC 27).
                match reason(status) {
                    Some(reason) => {
                        emit(&Command::Error(reason), out);
                        Step::Command
                    }
                    None => Step::Failed(failed),
                }
            }
            State::Failed(error) => Step::Failed(error),
        }
    }

    fn handle_verdict(&mut self, verdict: &Verdict) {
        if self.state == State::Judging {
            self.state = match verdict {
                Verdict::Accept(_) => State::Send,
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

/// Appends the body of a command.
fn emit(command: &Command<'_>, out: &mut Vec<u8>) {
    out.reserve(command.len());
    command.emit(out);
}
