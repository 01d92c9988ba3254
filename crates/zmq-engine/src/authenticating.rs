//! Who decides about a peer: the socket's authenticator, the ZAP handler of the context, or a rule. The driver asks and goes on;
//! nobody waits for the answer but the link it is about.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use zeroize::Zeroize as _;
use zmtp_wire::{Credentials, Error as WireError, Properties, Refused, Verdict};

use crate::asking::Ask;
use crate::context::Command;
use crate::core::Core;
use crate::driver::Driver;
use crate::monitor::{CloseReason, Unasked};
use crate::security::{Admission, Answer, Judgement, Question};

/// How a peer is to be judged.
enum Way {
    Accept,
    /// Nobody could be asked.
    Close(Unasked),
    Handler {
        /// What happens when there is none.
        or_accept: bool,
    },
}

impl Driver {
    /// Finds somebody who knows about the peer of a handshake. A verdict at once, none for now, or the end of the handshake.
    pub(crate) fn authenticate(
        &mut self,
        id: u64,
        mut credentials: Credentials,
    ) -> Result<Option<Verdict>, CloseReason> {
        let Some(shaking) = self.shaking.get(&id) else {
            return Ok(None);
        };
        let core = shaking.whence.socket.lock();
        let authenticator = core.options.authenticator.clone();
        let routing_id = core.options.routing_id.clone();
        let domain = core.options.zap_domain.clone();
        let way = way(&core, &credentials);
        drop(core);
        let address = shaking.whence.address.clone();
        if let Some(authenticator) = authenticator {
            let ctx = Arc::downgrade(&self.ctx);
            let answer = Answer::new(move |judgement| {
                if let Some(ctx) = ctx.upgrade() {
                    ctx.command(Command::Verdict {
                        shaking: id,
                        judgement,
                    });
                }
            });
            let question = Question {
                credentials: &credentials,
                address: &address,
                routing_id: &routing_id,
                domain: &domain,
            };
            // It is given a stranger's octets. When it panics over them, its answer is dropped and keeps that peer out, and nobody
            // else notices.
            let ask = AssertUnwindSafe(|| authenticator.authenticate(question, answer));
            let _ = std::panic::catch_unwind(ask);
            if let Credentials::Plain { password, .. } = &mut credentials {
                password.zeroize();
            }
            return Ok(None);
        }
        let or_accept = match way {
            Way::Accept => return Ok(Some(Verdict::Accept(Properties::new()))),
            Way::Close(unasked) => return Err(CloseReason::Unasked(unasked)),
            Way::Handler { or_accept } => or_accept,
        };
        let ask = Ask {
            shaking: id,
            domain,
            address: address.into_bytes().into(),
            identity: routing_id,
            credentials,
        };
        match self.ask_handler(ask) {
            Ok(()) => Ok(None),
            Err(Unasked::NoHandler) if or_accept => Ok(Some(Verdict::Accept(Properties::new()))),
            Err(unasked) => Err(CloseReason::Unasked(unasked)),
        }
    }

    /// The answer about a peer is there.
    pub(crate) fn judge(&mut self, id: u64, judgement: Judgement) {
        let Some(shaking) = self.shaking.get(&id) else {
            return;
        };
        let Judgement { verdict, why } = judgement;
        let link = Arc::clone(&shaking.link);
        let mut io = link.lock();
        let now = self.ctx.clock.now().wire();
        let result = io
            .session
            .handle_verdict(verdict, now)
            .map_err(CloseReason::Protocol)
            .and_then(|event| self.heed(id, &mut io, event));
        match result {
            Ok(Some(peer)) => {
                let _ = io.write_handshake();
                self.go_live(id, io, peer);
            }
            Ok(None) => {
                // What came while we waited is still inside the session.
                drop(io);
                self.shake(id);
            }
            Err(reason) => {
                let _ = io.write_handshake();
                drop(io);
                let reason = match reason {
                    CloseReason::Protocol(WireError::Refused(Refused::ByVerdict(status))) => {
                        CloseReason::Denied { status, why }
                    }
                    other => other,
                };
                self.end_shaking(id, reason);
            }
        }
    }
}

/// What the socket's options say about a peer with these credentials.
fn way(core: &Core, credentials: &Credentials) -> Way {
    let options = &core.options;
    let domain = !options.zap_domain.is_empty();
    let as_libzmq = options.admission == Admission::AsLibzmq;
    match credentials {
        // It asks only if there is somebody to ask.
        Credentials::Null if !domain => Way::Accept,
        Credentials::Curve { .. } if options.admission == Admission::AnyKey => Way::Accept,
        Credentials::Curve { .. } if as_libzmq && !domain && options.zap_enforce_domain => {
            Way::Accept
        }
        Credentials::Null | Credentials::Curve { .. } => Way::Handler {
            or_accept: as_libzmq && !options.zap_enforce_domain,
        },
        Credentials::Plain { .. } | Credentials::Gssapi { .. } => Way::Handler { or_accept: false },
        _ => Way::Close(Unasked::UnknownMechanism),
    }
}
