//! Two sockets and what passes between them.

use zmq::Context;
use zmq::blocking::{Dealer, Proxy, Pub, Pull, Push, Router, XPub, XSub};
use zmq::kind::Forwards;

use super::attach;
use crate::endpoint::Endpoint;
use crate::events::Events;
use crate::failure::Failure;
use crate::security::Secured;
use crate::verb::ProxyType;

/// A proxy as the command line describes it.
pub(crate) struct Forwarding {
    pub(crate) kind: ProxyType,
    pub(crate) frontend: Endpoint,
    pub(crate) backend: Endpoint,
    pub(crate) capture: Option<Endpoint>,
    /// Most messages queued for each peer and direction.
    pub(crate) hwm: u32,
    pub(crate) verbose: bool,
    /// Of every socket of the proxy.
    pub(crate) security: Secured,
}

/// A socket at one end of a proxy, whichever it is.
macro_rules! end {
    ($this:expr, $context:expr, $endpoint:expr, $options:expr) => {{
        let socket = $this.security.on($options).open($context);
        let _events = Events::wanted($this.verbose, || socket.monitor())?;
        attach($endpoint, |at| socket.bind(at), |at| socket.connect(at))?;
        socket
    }};
}

impl Forwarding {
    /// Passes messages on until the program is stopped.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let context = &Context::new();
        let hwm = self.hwm;
        let (front, back) = (&self.frontend, &self.backend);
        match self.kind {
            ProxyType::Queue => {
                let router = Router::options().send_hwm(hwm).recv_hwm(hwm);
                // A reply whose client has left goes nowhere, as in any queue.
                let router = end!(self, context, front, router.mandatory(false));
                let dealer = end!(
                    self,
                    context,
                    back,
                    Dealer::options().send_hwm(hwm).recv_hwm(hwm)
                );
                self.pass(context, &router, &dealer)
            }
            ProxyType::Forwarder => {
                let xsub = end!(
                    self,
                    context,
                    front,
                    XSub::options().send_hwm(hwm).recv_hwm(hwm)
                );
                let xpub = end!(
                    self,
                    context,
                    back,
                    XPub::options().send_hwm(hwm).recv_hwm(hwm)
                );
                self.pass(context, &xsub, &xpub)
            }
            ProxyType::Streamer => {
                let pull = end!(self, context, front, Pull::options().recv_hwm(hwm));
                let push = end!(self, context, back, Push::options().send_hwm(hwm));
                self.pass(context, &pull, &push)
            }
        }
    }

    fn pass(
        &self,
        context: &Context,
        front: &impl Forwards,
        back: &impl Forwards,
    ) -> Result<(), Failure> {
        let proxy = Proxy::new(front, back);
        let passed = match &self.capture {
            Some(endpoint) => {
                let tap = end!(self, context, endpoint, Pub::options().send_hwm(self.hwm));
                proxy.capture(&tap).run()
            }
            None => proxy.run(),
        };
        passed.map(drop).map_err(Failure::error)
    }
}
