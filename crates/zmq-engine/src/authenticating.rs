//! Who decides about a peer: the socket's authenticator, the ZAP handler of the context, or a rule. The driver asks and goes on;
//! nobody waits for the answer but the link it is about.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use zeroize::Zeroize as _;
use zmtp_wire::{Credentials, Error as WireError, Properties, Refused, Verdict};

use crate::asking::Ask;
use crate::context::Command;
use crate::driver::Driver;
use crate::monitor::{CloseReason, Unasked};
use crate::security::{Answer, Judgement, Question};
use crate::shake::contained;
use crate::terms::Way;

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
        let terms = Arc::clone(&shaking.terms);
        let address = &shaking.whence.address;
        if let Some(authenticator) = &terms.authenticator {
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
                address,
                routing_id: &terms.session.routing_id,
                domain: &terms.domain,
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
        let or_accept = match terms.way(&credentials) {
            Way::Accept => return Ok(Some(Verdict::Accept(Properties::new()))),
            Way::Close(unasked) => return Err(CloseReason::Unasked(unasked)),
            Way::Handler { or_accept } => or_accept,
        };
        let ask = Ask {
            shaking: id,
            or_accept,
            domain: terms.domain.clone(),
            address: address.clone().into_bytes().into(),
            identity: terms.session.routing_id.clone(),
            credentials,
        };
        self.to_ask.push_back(ask);
        Ok(None)
    }

    /// Asks about those who want in. No link is held meanwhile: the handler's answers about others are read before.
    pub(crate) fn ask_waiting(&mut self) {
        while let Some(ask) = self.to_ask.pop_front() {
            let (id, or_accept) = (ask.shaking, ask.or_accept);
            if !self.shaking.contains_key(&id) {
                continue;
            }
            match self.ask_handler(ask) {
                Ok(()) => {}
                Err(Unasked::NoHandler) if or_accept => {
                    let verdict = Verdict::Accept(Properties::new());
                    let why = String::new();
                    self.judge(id, Judgement { verdict, why });
                }
                Err(unasked) => self.end_shaking(id, CloseReason::Unasked(unasked)),
            }
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
        let result = contained(|| {
            let event = io.session.handle_verdict(verdict, now)?;
            self.heed(id, &mut io, event)
        });
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
