//! Alone in its process: it takes away all descriptors.

mod support;

use rustix::event::PollFlags;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use support::{accept, dial, failure, listen, wait};

#[test]
fn running_out_of_descriptors_is_reported_and_the_connection_waits() {
    let mut listener = listen("tcp://127.0.0.1:*").unwrap();
    let _client = dial(listener.endpoint()).unwrap();
    wait(listener.source(), PollFlags::IN);
    let limit = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(3),
            ..limit
        },
    )
    .unwrap();
    let error = failure(listener.try_accept());
    setrlimit(Resource::Nofile, limit).unwrap();
    assert!(zmq_transport::is_shortage(&error), "{error}");
    accept(&mut *listener);
}
