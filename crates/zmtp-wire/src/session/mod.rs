//! One connection as a state machine: greeting, handshake, traffic, closed.

use crate::{Error, Event, Mechanism, Message, Peer, SessionConfig, Time, Verdict, Version};
use alloc::boxed::Box;
use alloc::vec::Vec;
use bytes::Bytes;

/// The protocol state of one connection.
pub struct Session {
    _config: SessionConfig,
    _mechanism: Option<Box<dyn Mechanism>>,
}

#[allow(missing_docs, unused_variables, clippy::missing_const_for_fn)]
impl Session {
    pub fn new(config: SessionConfig, mechanism: Box<dyn Mechanism>, now: Time) -> Self {
        Self {
            _config: config,
            _mechanism: Some(mechanism),
        }
    }
    pub fn framed(config: SessionConfig, mechanism: Box<dyn Mechanism>, now: Time) -> Self {
        Self {
            _config: config,
            _mechanism: Some(mechanism),
        }
    }
    pub fn framed_bare(config: SessionConfig, now: Time) -> Self {
        Self {
            _config: config,
            _mechanism: None,
        }
    }
    pub fn handle_input(&mut self, now: Time, input: &mut &[u8]) -> Result<Option<Event>, Error> {
        *input = &[];
        Ok(None)
    }
    pub fn body_buffer(&mut self) -> Option<&mut Vec<u8>> {
        None
    }
    pub fn handle_body(&mut self, now: Time) -> Result<Option<Event>, Error> {
        Ok(None)
    }
    pub fn poll_timeout(&self) -> Option<Time> {
        None
    }
    pub fn handle_timeout(&mut self, now: Time) -> Result<(), Error> {
        Ok(())
    }
    pub fn handle_verdict(&mut self, verdict: Verdict, now: Time) -> Result<Option<Event>, Error> {
        Ok(None)
    }
    pub fn handle_reading(&mut self, now: Time, reading: bool) {}
    pub fn in_traffic(&self) -> bool {
        false
    }
    pub fn version(&self) -> Option<Version> {
        None
    }
    pub fn peer(&self) -> Option<&Peer> {
        None
    }
    pub fn send(&mut self, message: &Message) {}
    pub fn subscribe(&mut self, topic: &[u8]) {}
    pub fn cancel(&mut self, topic: &[u8]) {}
    pub fn join(&mut self, group: &[u8]) {}
    pub fn leave(&mut self, group: &[u8]) {}
    pub fn output_len(&self) -> usize {
        0
    }
    pub fn output_chunks(&self) -> impl Iterator<Item = &[u8]> + '_ {
        core::iter::empty()
    }
    pub fn output_written(&mut self, octets: usize) -> usize {
        0
    }
    pub fn output_cut(&self) -> bool {
        false
    }
    pub fn lend_buffer(&mut self, buffer: Vec<u8>) {}
    pub fn reclaim_buffer(&mut self) -> Option<Vec<u8>> {
        None
    }
    pub fn handle_unit(&mut self, now: Time, unit: &[u8]) -> Result<Option<Event>, Error> {
        Ok(None)
    }
    pub fn poll_unit(&mut self) -> Option<Bytes> {
        None
    }
}
