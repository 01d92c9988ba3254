//! A forked child lets go of what it inherited and works in a context of its own.
//!
//! It stands here because forking takes an `unsafe` block, and this is the one crate of the workspace that may have them.

use std::time::Duration;

use zmq_engine::{Context, Socket, SocketOptions, SocketType};

const PATIENCE: Duration = Duration::from_secs(20);

fn pair(context: &Context) -> (Socket, Socket) {
    let pull = Socket::open(context, SocketType::Pull, SocketOptions::default()).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:0").unwrap();
    let push = Socket::open(context, SocketType::Push, SocketOptions::default()).unwrap();
    push.connect(&endpoint).unwrap();
    (push, pull)
}

fn works(push: &Socket, pull: &Socket, text: &'static str) -> bool {
    push.send(text.into(), Some(PATIENCE)).is_ok()
        && pull
            .recv(Some(PATIENCE))
            .is_ok_and(|message| message.first() == text.as_bytes())
}

#[test]
fn a_forked_child_works_in_a_context_of_its_own() {
    let context = Context::new().unwrap();
    let (push, pull) = pair(&context);
    assert!(works(&push, &pull, "before"));
    // SAFETY: the child calls only what this test is about, and ends by _exit, so nothing of the test harness runs twice.
    let child = unsafe { nix::unistd::fork() }.unwrap();
    match child {
        nix::unistd::ForkResult::Child => {
            let done = std::panic::catch_unwind(|| {
                let own = Context::new().unwrap();
                let (push, pull) = pair(&own);
                let fine = works(&push, &pull, "in the child");
                drop((push, pull, own));
                fine
            });
            // What was inherited is let go of without waiting for a driver that does not exist here.
            drop((push, pull, context));
            let code = i32::from(!matches!(done, Ok(true)));
            // SAFETY: ends the process at once, without handlers that belong to the parent.
            unsafe { nix::libc::_exit(code) }
        }
        nix::unistd::ForkResult::Parent { child } => {
            let ended = nix::sys::wait::waitpid(child, None).unwrap();
            assert_eq!(ended, nix::sys::wait::WaitStatus::Exited(child, 0));
            assert!(works(&push, &pull, "after"));
        }
    }
}
