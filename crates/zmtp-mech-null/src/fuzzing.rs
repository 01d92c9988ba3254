//! What must hold for any octets at all; called by the fuzz target.

use crate::Null;
use alloc::vec::Vec;
use zmtp_wire::{Mechanism, Step, Verdict};

/// Any commands in any order: READY is never sent before the verdict, and the handshake ends at most once.
pub fn null(data: &[u8]) {
    let Some((choice, mut rest)) = data.split_first() else {
        return;
    };
    let ask = choice & 1 != 0;
    let mut mechanism = Null::new().with_authentication(ask);
    mechanism.start(b"");
    let (mut accepted, mut said) = (!ask, Vec::new());
    while let Some((length, behind)) = rest.split_first() {
        let (body, behind) = behind.split_at(behind.len().min(usize::from(*length)));
        rest = behind;
        match mechanism.poll(&mut said) {
            Step::Command => assert!(accepted || !said.starts_with(b"\x05READY")),
            Step::Authenticate(_) => {
                let verdict = if choice & 2 != 0 {
                    Verdict::accept()
                } else {
                    Verdict::Refuse(400)
                };
                accepted = choice & 2 != 0;
                mechanism.handle_verdict(&verdict);
            }
            Step::Established(_) => {
                assert!(accepted);
                return;
            }
            Step::Failed(_) => return,
            _ => {
                if mechanism.handle_command(body).is_err() {
                    return;
                }
            }
        }
        said.clear();
    }
}
