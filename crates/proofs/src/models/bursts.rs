//! Messages gather for links.

use std::sync::Arc as StdArc;

use loom::thread;

use crate::mirror::Item;
use crate::mirror::burst::{Sent, SocketShared};

/// Two send at some time and go away.
pub(super) fn burst() {
    let socket = SocketShared::open(3);
    let one = {
        let socket = StdArc::clone(&socket);
        thread::spawn(move || {
            socket.send(0, Item(0), Sent::Soon);
            socket.send(0, Item(1), Sent::Soon);
        })
    };
    let other = {
        let socket = StdArc::clone(&socket);
        thread::spawn(move || socket.send(1, Item(0), Sent::Soon))
    };
    socket.run_driver();
    one.join().unwrap();
    other.join().unwrap();
    assert_eq!(socket.written(), [vec![Item(0), Item(1)], vec![Item(0)]]);
}

/// One goes round and waits then, and goes on; another sends to one of its peers at some time.
pub(super) fn burst_round() {
    let socket = SocketShared::open(3);
    let round = {
        let socket = StdArc::clone(&socket);
        thread::spawn(move || {
            socket.send(0, Item(0), Sent::Soon);
            // `round::end`.
            socket.cool();
            socket.send(1, Item(2), Sent::Alone);
        })
    };
    let other = {
        let socket = StdArc::clone(&socket);
        thread::spawn(move || socket.send(0, Item(1), Sent::Soon))
    };
    socket.run_driver();
    round.join().unwrap();
    other.join().unwrap();
    assert_eq!(socket.written().map(|written| written.len()), [2, 1]);
}

/// Messages gather and are bundled, and somebody is about to wait, when the socket is closed.
pub(super) fn burst_closed() {
    let socket = SocketShared::open(5);
    socket.publish(Item(0));
    let other = {
        let socket = StdArc::clone(&socket);
        thread::spawn(move || socket.flush())
    };
    let closer = {
        let socket = StdArc::clone(&socket);
        thread::spawn(move || {
            socket.publish(Item(1));
            socket.send(0, Item(2), Sent::Alone);
            socket.begin_close();
        })
    };
    socket.run_driver_to_the_end();
    other.join().unwrap();
    closer.join().unwrap();
    let all = [Item(0), Item(1), Item(2)];
    assert_eq!(socket.written(), [all.to_vec(), all[..2].to_vec()]);
}

/// One publishes and goes away, another does something with the socket at some time.
pub(super) fn bundle(something: fn(&StdArc<SocketShared>)) {
    let socket = SocketShared::open(6);
    let publisher = {
        let socket = StdArc::clone(&socket);
        thread::spawn(move || {
            for number in 0..3 {
                socket.publish(Item(number));
            }
        })
    };
    let other = {
        let socket = StdArc::clone(&socket);
        thread::spawn(move || something(&socket))
    };
    socket.run_driver();
    publisher.join().unwrap();
    other.join().unwrap();
    let all = [Item(0), Item(1), Item(2)];
    assert_eq!(socket.written(), [all.to_vec(), all.to_vec()]);
}
