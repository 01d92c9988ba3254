//! The handshake, for sessions without an allocator.

use crate::NAME;
use core::ops::Range;
use zmtp_wire::borrowed::Mechanism;
use zmtp_wire::command::Command;
use zmtp_wire::metadata::OwnMetadata;
use zmtp_wire::{Error, Misbehaved, Writer};

/// One NULL handshake in a few octets of memory, for [`zmtp_wire::borrowed::Session`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BorrowedNull {
    sent: bool,
    received: bool,
}

impl BorrowedNull {
    /// A handshake that lets everybody in.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            sent: false,
            received: false,
        }
    }
}

impl Mechanism for BorrowedNull {
    fn name(&self) -> [u8; 20] {
        NAME
    }

    fn as_server(&self) -> bool {
        false
    }

    fn poll(&mut self, ours: &OwnMetadata<'_>, out: &mut Writer<'_>) -> Result<bool, Error> {
        if core::mem::replace(&mut self.sent, true) {
            return Ok(false);
        }
        Command::Ready(&[]).emit(out);
        ours.emit(out);
        Ok(true)
    }

    fn handle_command(&mut self, body: &mut [u8]) -> Result<Option<Range<usize>>, Error> {
        match Command::parse(body)? {
            Command::Ready(metadata) if !self.received => {
                self.received = true;
                Ok(Some(body.len().saturating_sub(metadata.len())..body.len()))
            }
            _ => Err(Misbehaved::UnexpectedCommand.into()),
        }
    }

    fn is_established(&self) -> bool {
        self.sent && self.received
    }
}
