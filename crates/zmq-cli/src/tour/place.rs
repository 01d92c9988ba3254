//! Where the sockets of the tour meet.

use std::sync::atomic::{AtomicU32, Ordering};

/// A transport of the tour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Tcp,
    Ipc,
    Inproc,
}

impl Transport {
    pub(super) const ALL: [Transport; 3] = [Transport::Tcp, Transport::Ipc, Transport::Inproc];

    pub(super) fn name(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Ipc => "ipc",
            Transport::Inproc => "inproc",
        }
    }

    /// An endpoint to bind that nobody else has: tcp leaves the port to the system, the others are numbered.
    pub(super) fn endpoint(self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        match self {
            Transport::Tcp => "tcp://127.0.0.1:*".to_owned(),
            Transport::Ipc => {
                let file = format!("zmq-tour-{}-{number}.sock", std::process::id());
                format!("ipc://{}", std::env::temp_dir().join(file).display())
            }
            Transport::Inproc => format!("inproc://tour-{number}"),
        }
    }
}
