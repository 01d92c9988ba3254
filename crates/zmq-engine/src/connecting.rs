//! Binding, connecting, and taking either back.

use std::sync::Arc;

use zmq_patterns::Attach;
use zmq_transport::Role;

use crate::context::Command;
use crate::core::{Core, Life};
use crate::counters::Loss;
use crate::dial::Dialing;
use crate::effects::Effects;
use crate::endpoint::{EndpointKind, EndpointRecord};
use crate::error::{EndpointError, EndpointProblem};
use crate::lanes::read_lane;
use crate::monitor::{CloseReason, Happening};
use crate::pipe::{Carrier, PeerFacts};
use crate::shared::SocketShared;
use crate::socket::Socket;

pub(crate) const INPROC: &str = "inproc://";

impl Socket {
    /// Starts to accept peers at an endpoint; gives the endpoint as it really is (with the port that was chosen, say).
    /// Names are looked up before it returns, so it may block; for inproc and numeric addresses it does not.
    ///
    /// # Errors
    /// [`EndpointError`]: the endpoint cannot be read, is in use, or the system refused it.
    pub fn bind(&self, endpoint: &str) -> Result<String, EndpointError> {
        let fail = |problem| EndpointError::new(endpoint, problem);
        self.check_open().map_err(fail)?;
        if let Some(name) = endpoint.strip_prefix(INPROC) {
            return self.bind_inproc(endpoint, name).map_err(fail);
        }
        let ctx = &self.shared.ctx;
        let transports = ctx.transports();
        let parsed = transports
            .parse(endpoint, Role::Bind)
            .map_err(|error| fail(EndpointProblem::Address(error)))?;
        let stream = self.shared.lock().options.stream.clone();
        let listener = parsed
            .transport
            .listen(parsed.address, &stream)
            .map_err(|error| fail(EndpointProblem::Io(error)))?;
        let real = listener.endpoint().to_owned();
        let id = ctx.id();
        let mut core = self.shared.lock();
        // The look-up may have taken its time.
        life_of(&core).map_err(fail)?;
        core.endpoints.push(EndpointRecord {
            written: endpoint.to_owned(),
            real: real.clone(),
            kind: EndpointKind::Bound { listener: id },
        });
        core.report(
            &real,
            None,
            Happening::Listening {
                descriptor: crate::monitor::descriptor_of(&listener.source()),
            },
        );
        // In line before anybody can take the endpoint back.
        ctx.queue(Command::Listen {
            id,
            socket: Arc::clone(&self.shared),
            listener,
            endpoint: real.clone(),
        });
        drop(core);
        ctx.wake.raise();
        Ok(real)
    }

    /// Connects to an endpoint and keeps connecting when the connection is lost. Never waits: the peer need not be there.
    /// A DEALER, REQ, PUB or SUB that is connected to the endpoint already stays as it is; other types connect once more.
    ///
    /// # Errors
    /// [`EndpointError`]: the endpoint cannot be read, or names an inproc socket of a type that does not fit.
    pub fn connect(&self, endpoint: &str) -> Result<(), EndpointError> {
        let fail = |problem| EndpointError::new(endpoint, problem);
        self.check_open().map_err(fail)?;
        if let Some(name) = endpoint.strip_prefix(INPROC) {
            return self.connect_inproc(endpoint, name).map_err(fail);
        }
        let ctx = &self.shared.ctx;
        let transports = ctx.transports();
        let parsed = transports
            .parse(endpoint, Role::Connect)
            .map_err(|error| fail(EndpointProblem::Address(error)))?;
        let id = ctx.id();
        let mut effects = Effects::default();
        let mut core = self.shared.enter(&mut effects);
        if core.connects_once() && core.endpoints.iter().any(|one| one.is_dialed_to(endpoint)) {
            drop(core);
            self.shared.run(effects);
            return Ok(());
        }
        if let Err(problem) = life_of(&core) {
            drop(core);
            self.shared.run(effects);
            return Err(fail(problem));
        }
        let routing_id = core.connect_routing_id.take();
        let attach = Attach {
            dialed: true,
            routing_id,
            immediate: core.options.immediate,
            inproc: false,
        };
        let facts = PeerFacts {
            endpoint: endpoint.to_owned(),
            ..PeerFacts::default()
        };
        let key = core.attach(Some(id), facts, attach);
        core.endpoints.push(EndpointRecord {
            written: endpoint.to_owned(),
            real: endpoint.to_owned(),
            kind: EndpointKind::Dialed { dialer: id, key },
        });
        core.settle(&mut effects);
        // In line before anybody can take the endpoint back.
        ctx.queue(Command::Dial {
            id,
            dialing: Dialing {
                socket: Arc::clone(&self.shared),
                key,
                transport: Arc::clone(parsed.transport),
                endpoint: endpoint.to_owned(),
                address: parsed.address.to_owned(),
            },
        });
        drop(core);
        ctx.wake.raise();
        effects.wake = true;
        self.shared.run(effects);
        Ok(())
    }

    /// Stops accepting peers at an endpoint (as given to or returned by `bind`). Those connected stay.
    ///
    /// # Errors
    /// [`EndpointProblem::Unknown`] if the socket is not bound to it.
    pub fn unbind(&self, endpoint: &str) -> Result<(), EndpointError> {
        self.take_endpoint(endpoint, true)
    }

    /// Stops accepting peers at an endpoint and closes the connections accepted there. What waits for those peers gets one try to
    /// leave.
    ///
    /// # Errors
    /// [`EndpointProblem::Unknown`] if the socket is not bound to it.
    pub fn unbind_and_part(&self, endpoint: &str) -> Result<(), EndpointError> {
        let real = self
            .shared
            .lock()
            .endpoints
            .iter()
            .rfind(|record| record.is(endpoint) && record.is_bound())
            .map(|record| record.real.clone());
        self.unbind(endpoint)?;
        let mut effects = Effects::default();
        let mut core = self.shared.enter(&mut effects);
        for key in core.keys() {
            let link = core
                .pipe(key)
                .filter(|pipe| pipe.dialer.is_none())
                .filter(|pipe| Some(&pipe.facts.endpoint) == real.as_ref())
                .and_then(|pipe| pipe.link().map(Arc::clone));
            if let Some(link) = link {
                effects.pump.push(Arc::clone(&link));
                effects.close(link, CloseReason::ByUs);
            }
        }
        drop(core);
        self.shared.run(effects);
        Ok(())
    }

    /// Disconnects from an endpoint given to `connect`. Messages queued for it may still leave for the linger time.
    ///
    /// # Errors
    /// [`EndpointProblem::Unknown`] if the socket is not connected to it.
    pub fn disconnect(&self, endpoint: &str) -> Result<(), EndpointError> {
        self.take_endpoint(endpoint, false)
    }

    /// Disconnects from an endpoint and throws away what has come from there and was not received, as libzmq does.
    ///
    /// # Errors
    /// [`EndpointProblem::Unknown`] if the socket is not connected to it.
    pub fn disconnect_unread(&self, endpoint: &str) -> Result<(), EndpointError> {
        let mut effects = Effects::default();
        let mut core = self.shared.enter(&mut effects);
        let dialed =
            core.endpoints.iter().rev().find_map(|record| {
                let (EndpointKind::Dialed { dialer, key }
                | EndpointKind::InprocDialed { dialer, key }) = record.kind
                else {
                    return None;
                };
                record.is(endpoint).then_some((dialer, key))
            });
        if let Some((dialer, key)) = dialed
            && core
                .pipe(key)
                .is_some_and(|pipe| pipe.dialer == Some(dialer))
        {
            read_lane(&mut core, key, &mut effects);
            let mut unread = 0;
            if let Some(pipe) = core.pipe(key) {
                unread = pipe.input.len();
                pipe.input.clear();
                pipe.input_octets = 0;
                pipe.unheard = Some(unread as u64);
            }
            core.pattern.set_drained(key);
            core.after_taking(key, unread, &mut effects);
        }
        drop(core);
        self.shared.run(effects);
        self.disconnect(endpoint)
    }

    /// The endpoints this socket is bound to, as they really are.
    #[must_use]
    pub fn bound_endpoints(&self) -> Vec<String> {
        let core = self.shared.lock();
        core.endpoints
            .iter()
            .filter(|record| record.is_bound())
            .map(|record| record.real.clone())
            .collect()
    }

    fn take_endpoint(&self, endpoint: &str, bound: bool) -> Result<(), EndpointError> {
        let fail = |problem| EndpointError::new(endpoint, problem);
        self.check_open().map_err(fail)?;
        let mut core = self.shared.lock();
        let place = core
            .endpoints
            .iter()
            .rposition(|record| record.is(endpoint) && record.is_bound() == bound)
            .ok_or_else(|| fail(EndpointProblem::Unknown))?;
        let record = core.endpoints.remove(place);
        drop(core);
        match record.kind {
            EndpointKind::Dialed { dialer, key } => self.shared.let_peer_go(key, dialer),
            EndpointKind::InprocDialed { dialer, key } => {
                self.shared.ctx.names().forget(&self.shared, Some(dialer));
                self.shared.let_peer_go(key, dialer);
            }
            _ => self.shared.stop_listening(std::slice::from_ref(&record)),
        }
        Ok(())
    }

    fn check_open(&self) -> Result<(), EndpointProblem> {
        life_of(&self.shared.lock())
    }

    // ---- inproc ----

    fn bind_inproc(&self, endpoint: &str, name: &str) -> Result<String, EndpointProblem> {
        check_name(name)?;
        let shared = &self.shared;
        let waiting = shared
            .ctx
            .names()
            .bind(name, shared, shared.socket_type)
            .ok_or(EndpointProblem::InUse)?;
        let mut core = shared.lock();
        if let Err(problem) = life_of(&core) {
            drop(core);
            shared.ctx.names().unbind(name, shared);
            return Err(problem);
        }
        core.endpoints.push(EndpointRecord {
            written: endpoint.to_owned(),
            real: endpoint.to_owned(),
            kind: EndpointKind::InprocBound,
        });
        drop(core);
        for pending in waiting {
            if let Some(dialer) = pending.socket.upgrade() {
                crate::meeting::meet(&dialer, (pending.key, pending.dialer), shared, endpoint);
            }
        }
        Ok(endpoint.to_owned())
    }

    fn connect_inproc(&self, endpoint: &str, name: &str) -> Result<(), EndpointProblem> {
        check_name(name)?;
        let shared = &self.shared;
        let mut names = shared.ctx.names();
        let found = names.find(name);
        if let Some((_, theirs)) = &found
            && !shared.ctx.inproc_mixes
            && !shared.socket_type.accepts(*theirs)
        {
            return Err(EndpointProblem::Incompatible {
                ours: shared.socket_type,
                theirs: *theirs,
            });
        }
        let id = shared.ctx.id();
        let mut effects = Effects::default();
        // The table stays locked, so that nobody binds the name between the look and the wait. It is always locked first.
        let mut core = shared.lock();
        life_of(&core)?;
        let routing_id = core.connect_routing_id.take();
        let attach = Attach {
            dialed: true,
            routing_id,
            immediate: false,
            inproc: true,
        };
        let facts = PeerFacts {
            endpoint: endpoint.to_owned(),
            ..PeerFacts::default()
        };
        let key = core.attach(Some(id), facts, attach);
        core.endpoints.push(EndpointRecord {
            written: endpoint.to_owned(),
            real: endpoint.to_owned(),
            kind: EndpointKind::InprocDialed { dialer: id, key },
        });
        core.settle(&mut effects);
        drop(core);
        if found.is_none() {
            let pending = crate::names::Pending {
                socket: Arc::downgrade(shared),
                key,
                dialer: id,
            };
            names.wait(name, pending);
        }
        drop(names);
        effects.wake = true;
        shared.run(effects);
        if let Some((binder, _)) = found {
            crate::meeting::meet(shared, (key, id), &binder, endpoint);
        }
        Ok(())
    }
}

fn life_of(core: &Core) -> Result<(), EndpointProblem> {
    match core.life {
        Life::Open => Ok(()),
        Life::Terminated => Err(EndpointProblem::Terminated),
        Life::Closing | Life::Closed => Err(EndpointProblem::Closed),
    }
}

fn check_name(name: &str) -> Result<(), EndpointProblem> {
    if name.is_empty() {
        return Err(EndpointProblem::Address(
            zmq_transport::EndpointError::NoAddress,
        ));
    }
    Ok(())
}

impl SocketShared {
    /// Lets go of listeners, dialers and names. Connections stay.
    pub(crate) fn stop_listening(self: &Arc<Self>, endpoints: &[EndpointRecord]) {
        for record in endpoints {
            match record.kind {
                EndpointKind::Bound { listener } => {
                    self.ctx.command(Command::StopListening { id: listener });
                }
                EndpointKind::InprocBound => {
                    if let Some(name) = record.real.strip_prefix(INPROC) {
                        self.ctx.names().unbind(name, self);
                    }
                }
                // A dialer goes on, and a name may still be bound, while messages of a closing socket wait for it.
                EndpointKind::InprocDialed { .. } | EndpointKind::Dialed { .. } => {}
            }
        }
    }

    /// The peer of a dialed endpoint is not wanted any more: what waits for it may leave for the linger time.
    fn let_peer_go(self: &Arc<Self>, key: zmq_patterns::PeerKey, id: u64) {
        self.fetch_early(Some(key));
        let mut effects = Effects::default();
        let mut core = self.enter(&mut effects);
        let linger = core.options.linger;
        let mut leave = None;
        let inproc = core.is_inproc(key);
        // The dialer may have given up meanwhile, and the key may have another owner.
        let pipe = core.pipe(key).filter(|pipe| pipe.dialer == Some(id));
        let Some(pipe) = pipe else {
            drop(core);
            self.run(effects);
            return;
        };
        match &pipe.carrier {
            Carrier::Inproc(..) => {
                let endpoint = pipe.facts.endpoint.clone();
                // What it has sent can still be received.
                read_lane(&mut core, key, &mut effects);
                core.close_lane(key, &mut effects);
                core.retire(key, Loss::PeerLeft);
                core.report(
                    &endpoint,
                    None,
                    Happening::Closed {
                        reason: CloseReason::ByUs,
                        was_ready: true,
                        descriptor: None,
                    },
                );
            }
            Carrier::None if inproc => core.detach(key, Loss::PeerLeft),
            _ => {
                // Nothing new is routed to it; the driver closes it when its queue is empty or the time is over.
                core.pattern.set_writable(key, false);
                if let Some(pipe) = core.pipe(key) {
                    pipe.full = true;
                    pipe.leaving = true;
                }
                leave = Some(linger.map(|linger| self.ctx.clock.now().plus(linger)));
            }
        }
        core.settle(&mut effects);
        drop(core);
        effects.wake = true;
        if let Some(deadline) = leave {
            self.ctx.command(Command::LeavePeer {
                id,
                deadline: deadline.unwrap_or(crate::clock::Nanos::NEVER),
            });
        }
        self.run(effects);
    }
}
