//! Two sessions and the wire between them.
#![allow(dead_code, reason = "each test file uses a part")]

use crate::fixed::{client, server};
use zmtp_wire::{Error, Event, Session, SessionConfig, SocketType, Time};

pub(crate) const NOW: Time = Time::from_millis(0);

pub(crate) fn config(socket_type: SocketType) -> SessionConfig {
    let mut config = SessionConfig::new(socket_type);
    config.legacy_allowed = false;
    config
}

/// What a session has to say, taken off it.
pub(crate) fn said(session: &mut Session) -> Vec<u8> {
    let octets: Vec<u8> = session.output_chunks().flatten().copied().collect();
    session.output_written(octets.len());
    octets
}

/// All events these octets bring about.
pub(crate) fn heard(session: &mut Session, mut octets: &[u8]) -> Result<Vec<Event>, Error> {
    let mut events = Vec::new();
    while let Some(event) = session.handle_input(NOW, &mut octets)? {
        events.push(event);
    }
    Ok(events)
}

/// What one has to say, the other hears.
pub(crate) fn carry(from: &mut Session, to: &mut Session) -> Vec<Event> {
    let octets = said(from);
    heard(to, &octets).unwrap()
}

/// A client and a server in traffic.
pub(crate) fn joined(of_client: SessionConfig, of_server: SessionConfig) -> (Session, Session) {
    let mut client = Session::new(of_client, Box::new(client()), NOW);
    let mut server = Session::new(of_server, Box::new(server()), NOW);
    for _ in 0..6 {
        carry(&mut client, &mut server);
        carry(&mut server, &mut client);
    }
    assert!(client.in_traffic() && server.in_traffic());
    (client, server)
}
