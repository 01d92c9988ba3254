//! What must hold for any octets at all; called by the fuzz target.

use crate::{Client, Server};
use alloc::boxed::Box;
use alloc::vec::Vec;
use zmtp_wire::{Mechanism, Step, Verdict};

/// Any commands in any order, to either role: no server speaks before a verdict, none lets in without an accepting one, and a client that
/// fails stays failed.
pub fn plain(data: &[u8]) {
    let Some((choice, mut rest)) = data.split_first() else {
        return;
    };
    let server = choice & 1 != 0;
    let mut mechanism: Box<dyn Mechanism> = match Client::new(b"admin", b"secret") {
        Ok(client) if !server => Box::new(client),
        _ => Box::new(Server::new()),
    };
    mechanism.start(b"\x0bSocket-Type\0\0\0\x04PULL");
    let (mut accepted, mut asked, mut said) = (!server, false, Vec::new());
    loop {
        said.clear();
        match mechanism.poll(&mut said) {
            Step::Command => assert!(accepted || said.starts_with(b"\x05ERROR")),
            Step::Authenticate(_) => {
                assert!(server && !asked && said.is_empty());
                asked = true;
                accepted = choice & 2 != 0;
                let verdict = if accepted {
                    Verdict::accept()
                } else {
                    Verdict::Refuse(if choice & 4 == 0 { 300 } else { 400 })
                };
                mechanism.handle_verdict(&verdict);
            }
            Step::Established(_) => {
                assert!(accepted);
                return;
            }
            Step::Failed(_) => return,
            _ => {
                assert!(said.is_empty());
                let Some((length, behind)) = rest.split_first() else {
                    return;
                };
                let (body, behind) = behind.split_at(behind.len().min(usize::from(*length)));
                rest = behind;
                if let Err(error) = mechanism.handle_command(body) {
                    assert!(
                        matches!(mechanism.poll(&mut said), Step::Failed(same) if same == error)
                    );
                    assert!(mechanism.handle_command(body).is_err());
                    return;
                }
            }
        }
    }
}
