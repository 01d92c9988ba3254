//! A forked child lets go of what it inherited and works in a context of its own.
//!
//! It stands here because forking takes an `unsafe` block, and this is the one crate of the workspace that may have them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use zmq_engine::curve::{KeyPair, SecretKey};
use zmq_engine::{
    Clock, Context, ContextOptions, DriverMode, Security, Socket, SocketOptions, SocketType,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// One test at a time: a child inherits what the other test has open too.
static ALONE: Mutex<()> = Mutex::new(());

fn pair(context: &Context) -> (Socket, Socket, String) {
    let pull = Socket::open(context, SocketType::Pull, SocketOptions::default()).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:0").unwrap();
    let push = Socket::open(context, SocketType::Push, SocketOptions::default()).unwrap();
    push.connect(&endpoint).unwrap();
    (push, pull, endpoint)
}

fn works(push: &Socket, pull: &Socket, text: &'static str) -> bool {
    push.send(text.into(), Some(PATIENCE)).is_ok()
        && pull
            .recv(Some(PATIENCE))
            .is_ok_and(|message| message.first() == text.as_bytes())
}

#[test]
fn a_forked_child_works_in_a_context_of_its_own() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let context = Context::new().unwrap();
    let (push, pull, _) = pair(&context);
    assert!(works(&push, &pull, "before"));
    // SAFETY: the child calls only what this test is about, and ends by _exit, so nothing of the test harness runs twice.
    let child = unsafe { nix::unistd::fork() }.unwrap();
    match child {
        nix::unistd::ForkResult::Child => {
            let done = std::panic::catch_unwind(|| {
                let own = Context::new().unwrap();
                let (push, pull, _) = pair(&own);
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

/// Forks a child that lets go of everything and lives on while its parent ends its context. Says whether the parent's port is
/// free then, and a stranger who was shaking hands with it sees the end.
fn is_let_go_of(context_first: bool) -> bool {
    let context = Context::new().unwrap();
    let (push, pull, endpoint) = pair(&context);
    let address = endpoint.strip_prefix("tcp://").unwrap();
    assert!(works(&push, &pull, "before"));
    let mut stranger = TcpStream::connect(address).unwrap();
    stranger.set_read_timeout(Some(PATIENCE)).unwrap();
    stranger.read_exact(&mut [0; 10]).unwrap();
    // The driver has written this and comes to rest while others work.
    for _ in 0..20 {
        assert!(works(&push, &pull, "meanwhile"));
    }
    let (mut done, mut tell_done) = std::io::pipe().unwrap();
    let (mut end, tell_end) = std::io::pipe().unwrap();
    // SAFETY: as above.
    let child = unsafe { nix::unistd::fork() }.unwrap();
    match child {
        nix::unistd::ForkResult::Child => {
            drop((stranger, tell_end));
            if context_first {
                drop((context, push, pull));
            } else {
                drop((push, pull));
                std::mem::forget(context);
            }
            let _ = tell_done.write(&[1]);
            let _ = end.read(&mut [0]);
            // SAFETY: as above.
            unsafe { nix::libc::_exit(0) }
        }
        nix::unistd::ForkResult::Parent { child } => {
            drop(tell_done);
            done.read_exact(&mut [0]).unwrap();
            assert!(works(&push, &pull, "the child touches nothing of ours"));
            drop((push, pull, context));
            let free = TcpListener::bind(address).is_ok();
            // What the driver held is let go of as a whole, so there is no need to wait in vain.
            let ended = free
                && match stranger.read_to_end(&mut Vec::new()) {
                    Ok(_) => true,
                    Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
                };
            drop(tell_end);
            nix::sys::wait::waitpid(child, None).unwrap();
            free && ended
        }
    }
}

#[test]
fn a_forked_child_that_lets_go_keeps_nothing_of_its_parent_open() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for context_first in [true, false] {
        // A fork may meet the driver at work, which keeps what it holds.
        assert!(
            (0..50).any(|_| is_let_go_of(context_first)),
            "fifty times a descriptor stayed open; context first: {context_first}"
        );
    }
}

/// What the child would seal has the same numbers as what the parent seals: a listener could take one from the other.
#[test]
fn a_forked_child_seals_nothing_with_the_keys_of_its_parent() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let keys = |octet| KeyPair::new(SecretKey::from_octets([octet; 32]));
    let context = Context::new().unwrap();
    let open = |socket_type, security| {
        let mut options = SocketOptions::default();
        options.security = security;
        Socket::open(&context, socket_type, options).unwrap()
    };
    let pull = open(SocketType::Pull, Security::curve_server(keys(1)));
    let endpoint = pull.bind("tcp://127.0.0.1:0").unwrap();
    let push = open(
        SocketType::Push,
        Security::curve_client(keys(1).public(), keys(2)),
    );
    push.connect(&endpoint).unwrap();
    assert!(works(&push, &pull, "before"));
    // A fork may meet the driver at work on the connection, which nobody else can use then.
    for _ in 0..20 {
        // SAFETY: as above.
        let child = unsafe { nix::unistd::fork() }.unwrap();
        match child {
            nix::unistd::ForkResult::Child => {
                // A lock that was held at the fork is held for ever.
                // SAFETY: asks for a signal and touches no memory.
                unsafe { nix::libc::alarm(1) };
                let _ = push.try_send("from the child".into());
                // What a burst has left in the queue is written now.
                let _ = push.events();
                // SAFETY: as above.
                unsafe { nix::libc::_exit(0) }
            }
            nix::unistd::ForkResult::Parent { child } => {
                nix::sys::wait::waitpid(child, None).unwrap();
                assert!(works(&push, &pull, "after"));
                assert_eq!(pull.counters().links_lost, 0);
            }
        }
    }
}

#[test]
fn what_a_thread_let_gather_is_written_by_the_parent_alone() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let other = Context::new().unwrap();
    let pull = Socket::open(&other, SocketType::Pull, SocketOptions::default()).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:0").unwrap();
    // Nothing leaves by itself, and the clock stands, so the messages gather.
    let mut options = ContextOptions::default();
    options.clock = Clock::simulated().0;
    options.driver = DriverMode::Manual;
    let context = Context::with(options).unwrap();
    let sockets: Vec<Socket> = (0..20)
        .map(|_| {
            let push = Socket::open(&context, SocketType::Push, SocketOptions::default()).unwrap();
            push.connect(&endpoint).unwrap();
            push
        })
        .collect();
    while sockets.iter().any(|socket| socket.connected_peers() == 0) {
        context.turn(Duration::from_millis(1));
    }
    for socket in &sockets {
        socket.try_send("one of many".into()).unwrap();
    }
    // SAFETY: as above.
    let child = unsafe { nix::unistd::fork() }.unwrap();
    match child {
        nix::unistd::ForkResult::Child => {
            let done = std::panic::catch_unwind(|| {
                let own = Context::new().unwrap();
                let (push, pull, _) = pair(&own);
                // Looks for a message before it has one.
                pull.try_recv().is_err() && works(&push, &pull, "in the child")
            });
            let code = i32::from(!matches!(done, Ok(true)));
            // SAFETY: as above.
            unsafe { nix::libc::_exit(code) }
        }
        nix::unistd::ForkResult::Parent { child } => {
            let ended = nix::sys::wait::waitpid(child, None).unwrap();
            assert_eq!(ended, nix::sys::wait::WaitStatus::Exited(child, 0));
            let gathered = sockets
                .iter()
                .filter(|socket| socket.counters().transmitted == 0);
            assert!(gathered.count() > 0, "nothing gathered");
            context.turn(Duration::ZERO);
            for socket in &sockets {
                assert!(pull.recv(Some(PATIENCE)).is_ok());
                assert_eq!(socket.counters().transmitted, 1);
            }
            assert!(pull.try_recv().is_err(), "a message came twice");
        }
    }
}
