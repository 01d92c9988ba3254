//! REQ and REP: sockets with turns.

use std::time::Duration;

use zmq::blocking::{Rep, Req};
use zmq::{Context, Message, Responder};

use super::{attached, closed, not_answered, not_received};
use crate::arguments::SocketFlags;
use crate::events::Events;
use crate::failure::Failure;

/// A REQ socket.
pub(crate) struct Client {
    req: Req,
    timeout: Option<Duration>,
    events: Option<Events>,
}

impl Client {
    pub(crate) fn new(flags: &SocketFlags, name: Option<&str>) -> Result<Client, Failure> {
        let secured = flags.security.read()?;
        let mut options = secured
            .on(Req::options())
            .send_hwm(flags.hwm)
            .recv_hwm(flags.hwm);
        if let Some(name) = name {
            options = options.routing_id(name);
        }
        let req = options.open(&Context::new());
        let events = attached!(req, flags);
        Ok(Client {
            req,
            timeout: flags.timeout,
            events,
        })
    }

    /// The reply to a request.
    pub(crate) fn ask(&self, request: Message) -> Result<Message, Failure> {
        let reply = match self.timeout {
            Some(timeout) => self.req.request_timeout(request, timeout),
            None => self.req.request(request),
        };
        reply.map_err(|error| not_answered(&error))
    }

    pub(crate) fn close(self) -> Result<(), Failure> {
        let report = self.req.close();
        if let Some(events) = self.events {
            events.end();
        }
        closed(&report)
    }
}

/// A REP socket.
pub(crate) struct Service {
    rep: Rep,
    timeout: Option<Duration>,
    events: Option<Events>,
}

impl Service {
    pub(crate) fn new(flags: &SocketFlags) -> Result<Service, Failure> {
        let secured = flags.security.read()?;
        let rep = secured
            .on(Rep::options())
            .send_hwm(flags.hwm)
            .recv_hwm(flags.hwm)
            .open(&Context::new());
        let events = attached!(rep, flags);
        Ok(Service {
            rep,
            timeout: flags.timeout,
            events,
        })
    }

    /// The next request, and the means to answer it.
    pub(crate) fn next(&self) -> Result<(Message, Responder<'_>), Failure> {
        let request = match self.timeout {
            Some(timeout) => self.rep.recv_timeout(timeout),
            None => self.rep.recv(),
        };
        Ok(request.map_err(|error| not_received(&error))?.into_parts())
    }

    pub(crate) fn close(self) -> Result<(), Failure> {
        let report = self.rep.close();
        if let Some(events) = self.events {
            events.end();
        }
        closed(&report)
    }
}
