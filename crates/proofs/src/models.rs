//! What is claimed, and the threads that try to prove it wrong. A model fails when a thread waits for ever, or by an assertion.

mod bells;
mod bursts;
mod callers;
mod driver;
mod locks;

use std::sync::Arc as StdArc;
use std::sync::atomic::{AtomicUsize, Ordering as StdOrdering};
use std::task::{Wake, Waker};

use loom::sync::{Condvar, Mutex};
use loom::thread;

use crate::kernel::{self, File};
use crate::mirror::Item;
use crate::mirror::carry::Carried;
use crate::mirror::lane::SocketShared;
use crate::mirror::wait::Slept;
use crate::waking::Waking;

pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) claim: &'static str,
    /// How often a thread may be held up where it could go on; without a bound, as often as it can.
    bound: Option<usize>,
    run: fn(),
}

impl Model {
    /// Goes through every order of events within the bound; gives their number.
    pub(crate) fn check(&self, bound: Option<usize>) -> usize {
        let orders = StdArc::new(AtomicUsize::new(0));
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = bound.or(self.bound);
        builder.max_branches = 10_000;
        let (run, count) = (self.run, StdArc::clone(&orders));
        builder.check(move || {
            count.fetch_add(1, StdOrdering::Relaxed);
            run();
        });
        orders.load(StdOrdering::Relaxed)
    }
}

pub(crate) const MODELS: &[Model] = &[
    Model {
        name: "signal",
        claim: "whoever takes a signal down sees all that was added before it was raised",
        bound: Some(4),
        run: driver::signal,
    },
    Model {
        name: "bell",
        claim: "a thread in block_on hears of each call",
        bound: Some(4),
        run: bells::bell,
    },
    Model {
        name: "lock",
        claim: "two that own the lock in turn are inside one after the other, and none waits for ever",
        bound: Some(4),
        run: locks::two,
    },
    Model {
        name: "lock-three",
        claim: "the same with a third, and with an owner who comes late",
        bound: Some(2),
        run: locks::three,
    },
    Model {
        name: "lock-tried",
        claim: "the same where one tries only, and leaves a lock without an owner behind",
        bound: Some(3),
        run: locks::tried,
    },
    Model {
        name: "lock-two-locks",
        claim: "a thread that owns two locks is waited for at the one that it is inside of",
        bound: Some(3),
        run: locks::several,
    },
    Model {
        name: "place",
        claim: "nobody is at a place that is taken apart",
        bound: Some(4),
        run: locks::place,
    },
    Model {
        name: "orders-ended",
        claim: "a command is taken, or found by the one who ends the list, or refused",
        bound: None,
        run: driver::orders_ended,
    },
    Model {
        name: "waking-thread",
        claim: "a thread that waits hears of each change",
        bound: Some(4),
        run: waking_thread,
    },
    Model {
        name: "waking-two-threads",
        claim: "one who wakes first does not take the news away from another",
        bound: Some(3),
        run: waking_two_threads,
    },
    Model {
        name: "waking-task",
        claim: "a task that left its waker before it tried is woken",
        bound: Some(4),
        run: waking_task,
    },
    Model {
        name: "waking-task-beside",
        claim: "a task that stops waiting takes no other task's wake-up with it",
        bound: Some(3),
        run: waking_task_beside,
    },
    Model {
        name: "link",
        claim: "what is left while somebody drives is written by whoever drives",
        bound: Some(4),
        run: link,
    },
    Model {
        name: "link-three",
        claim: "the same with one who waits for the link, and with more rounds than a holder goes",
        bound: Some(3),
        run: link_three,
    },
    Model {
        name: "link-hot",
        claim: "what has gathered is written when somebody asks for it while another drives",
        bound: Some(4),
        run: link_hot,
    },
    Model {
        name: "burst",
        claim: "what gathers leaves with a tick, also where the driver just forgets the socket",
        bound: Some(3),
        run: bursts::burst,
    },
    Model {
        name: "burst-round",
        claim: "one who ends a round leaves nothing of its own behind, and takes no tick from others",
        bound: Some(2),
        run: bursts::burst_round,
    },
    Model {
        name: "burst-closed",
        claim: "what has gathered leaves before a socket that is closed ends, and then it ends",
        bound: Some(2),
        run: bursts::burst_closed,
    },
    Model {
        name: "bundle",
        claim: "what is bundled leaves by all links in order, whoever else comes to the socket",
        bound: Some(2),
        run: || bursts::bundle(|socket| socket.look()),
    },
    Model {
        name: "bundle-cooled",
        claim: "the same where one comes who lets no more gather",
        bound: Some(2),
        run: || bursts::bundle(|socket| socket.cool()),
    },
    Model {
        name: "inproc",
        claim: "what a writer sends before it goes away reaches a reader that waits",
        bound: Some(3),
        run: || send_and_receive(2, None),
    },
    Model {
        name: "inproc-burst",
        claim: "the same when so much has gathered that it is handed over unasked",
        bound: Some(2),
        run: || send_and_receive(4, None),
    },
    Model {
        name: "inproc-full",
        claim: "a writer that waits for room goes on when the reader has used messages",
        bound: Some(3),
        run: || send_and_receive(4, Some(1)),
    },
    Model {
        name: "inproc-closed",
        claim: "the end of a writer reaches a reader that waits, after all that it sent",
        bound: Some(3),
        run: inproc_closed,
    },
    Model {
        name: "bundle-inproc",
        claim: "what is bundled for a reader that waits reaches it, and so does what was bundled before it waited",
        bound: Some(3),
        run: bundle_inproc,
    },
    Model {
        name: "look",
        claim: "one who looks in vain sleeps only while nothing is queued, and the driver reads when it has gone",
        bound: Some(2),
        run: callers::look,
    },
    Model {
        name: "look-beside",
        claim: "what another caller has read reaches one who looked in vain and sleeps",
        bound: Some(4),
        run: callers::look_beside,
    },
    Model {
        name: "callers-turn",
        claim: "the driver reads for a caller that looked once and went away",
        bound: Some(3),
        run: || callers::callers(|served| served.turn()),
    },
    Model {
        name: "callers-brief",
        claim: "the driver reads for a caller that slept a little and went away",
        bound: Some(3),
        run: || callers::callers(|served| served.sleep(Slept::Briefly)),
    },
    Model {
        name: "callers-sparse",
        claim: "the driver reads for a caller that slept for long and went away",
        bound: Some(2),
        run: || callers::callers(|served| served.sleep(Slept::Long)),
    },
    Model {
        name: "callers-task",
        claim: "the driver reads for a task that was told and never comes",
        bound: Some(3),
        run: callers::callers_task,
    },
    Model {
        name: "callers-relying",
        claim: "a task that leaves the streams to the driver is called for all that comes, also while another caller looks",
        bound: Some(2),
        run: || callers::relying(false),
    },
    Model {
        name: "callers-relying-flood",
        claim: "the same where messages come in floods, and the other caller reads them itself",
        bound: Some(2),
        run: || callers::relying(true),
    },
    Model {
        name: "callers-left",
        claim: "the driver reads what it had left to a caller that does not come any more",
        bound: Some(2),
        run: || callers::left(|served| served.turn()),
    },
    Model {
        name: "callers-left-brief",
        claim: "the same of one that sleeps a little meanwhile",
        bound: Some(2),
        run: || callers::left(|served| served.sleep(Slept::Briefly)),
    },
    Model {
        name: "callers-left-sparse",
        claim: "the same of one that sleeps for long",
        bound: Some(2),
        run: || callers::left(|served| served.sleep(Slept::Long)),
    },
    Model {
        name: "callers-left-task",
        claim: "a task that begins to rely on the driver while that leaves the streams to callers is called for all that comes",
        bound: Some(2),
        run: callers::left_to_a_task,
    },
    Model {
        name: "callers-two",
        claim: "the driver reads when one caller comes as another goes",
        bound: Some(2),
        run: callers::callers_two,
    },
];

/// `Socket::wait_and_take` for a change under a lock of the socket.
fn sleep_until(waking: &Waking, signal: File, core: &Mutex<bool>) {
    let mut seen = waking.enter();
    while !*core.lock().unwrap() {
        kernel::wait(|levels| levels.is(signal).then_some(()));
        waking.leave(seen);
        waking.settle();
        seen = waking.enter();
    }
    waking.leave(seen);
}

fn waking_thread() {
    let waking = StdArc::new(Waking::new().unwrap());
    let signal = File::opened_last();
    let core = StdArc::new(Mutex::new(false));
    let changer = {
        let (waking, core) = (StdArc::clone(&waking), StdArc::clone(&core));
        thread::spawn(move || {
            // A change that the other does not wait for.
            waking.wake();
            *core.lock().unwrap() = true;
            waking.wake();
        })
    };
    sleep_until(&waking, signal, &core);
    changer.join().unwrap();
    assert!(!waking.anybody());
}

fn waking_two_threads() {
    let waking = StdArc::new(Waking::new().unwrap());
    let signal = File::opened_last();
    let core = StdArc::new(Mutex::new(false));
    let sleeper = {
        let (waking, core) = (StdArc::clone(&waking), StdArc::clone(&core));
        thread::spawn(move || sleep_until(&waking, signal, &core))
    };
    let changer = {
        let (waking, core) = (StdArc::clone(&waking), StdArc::clone(&core));
        thread::spawn(move || {
            *core.lock().unwrap() = true;
            waking.wake();
        })
    };
    sleep_until(&waking, signal, &core);
    sleeper.join().unwrap();
    changer.join().unwrap();
}

/// A task that sleeps until its waker is called.
struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    fn new() -> StdArc<Bell> {
        StdArc::new(Bell {
            rung: Mutex::new(false),
            changed: Condvar::new(),
        })
    }

    fn wait(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !std::mem::take(&mut *rung) {
            rung = self.changed.wait(rung).unwrap();
        }
    }
}

impl Wake for Bell {
    fn wake(self: StdArc<Self>) {
        *self.rung.lock().unwrap() = true;
        self.changed.notify_one();
    }
}

/// As the facade polls: the waker first, then the attempt.
fn poll_until(waking: &Waking, core: &Mutex<bool>) {
    let place = waking.enter_task();
    let bell = Bell::new();
    let waker = Waker::from(StdArc::clone(&bell));
    loop {
        waking.set_waker(place, &waker);
        if *core.lock().unwrap() {
            break;
        }
        bell.wait();
    }
    waking.leave_task(place);
}

fn waking_task() {
    let waking = StdArc::new(Waking::new().unwrap());
    let core = StdArc::new(Mutex::new(false));
    let changer = {
        let (waking, core) = (StdArc::clone(&waking), StdArc::clone(&core));
        thread::spawn(move || {
            waking.wake();
            *core.lock().unwrap() = true;
            waking.wake();
        })
    };
    poll_until(&waking, &core);
    changer.join().unwrap();
    assert!(!waking.anybody());
}

fn waking_task_beside() {
    let waking = StdArc::new(Waking::new().unwrap());
    let core = StdArc::new(Mutex::new(false));
    let task = {
        let (waking, core) = (StdArc::clone(&waking), StdArc::clone(&core));
        thread::spawn(move || poll_until(&waking, &core))
    };
    // A task that is dropped, perhaps between its being woken and its turn.
    let given_up = {
        let waking = StdArc::clone(&waking);
        thread::spawn(move || {
            let place = waking.enter_task();
            waking.set_waker(place, &Waker::from(Bell::new()));
            waking.leave_task(place);
        })
    };
    *core.lock().unwrap() = true;
    waking.wake();
    task.join().unwrap();
    given_up.join().unwrap();
    assert!(!waking.anybody());
}

fn link() {
    let carried = StdArc::new(Carried::new(false));
    let other = {
        let carried = StdArc::clone(&carried);
        thread::spawn(move || carried.send())
    };
    carried.send();
    other.join().unwrap();
    assert_eq!(carried.end(), 2);
}

fn link_three() {
    let carried = StdArc::new(Carried::new(false));
    let others: Vec<_> = [
        |carried: &Carried| {
            carried.send();
            carried.send();
        },
        |carried: &Carried| carried.beat(),
    ]
    .into_iter()
    .map(|other| {
        let carried = StdArc::clone(&carried);
        thread::spawn(move || other(&carried))
    })
    .collect();
    carried.send();
    for other in others {
        other.join().unwrap();
    }
    assert_eq!(carried.end(), 3);
}

fn link_hot() {
    let carried = StdArc::new(Carried::new(true));
    let driver = {
        let carried = StdArc::clone(&carried);
        thread::spawn(move || carried.beat())
    };
    carried.send();
    carried.flush();
    driver.join().unwrap();
    assert_eq!(carried.end(), 1);
}

/// One sends `count` messages and goes away, the other receives them all.
fn send_and_receive(count: u32, mark: Option<u32>) {
    let (writer, reader) = SocketShared::meet(mark);
    let sender = thread::spawn(move || {
        for number in 0..count {
            writer.send(Item(number));
        }
        writer
    });
    for number in 0..count {
        assert_eq!(reader.recv(), Some(Item(number)));
    }
    let writer = sender.join().unwrap();
    assert_eq!(writer.gathered(), 0);
}

/// The same, where others are sent the messages too.
fn bundle_inproc() {
    let (writer, reader) = SocketShared::meet(None);
    let publisher = thread::spawn(move || {
        for number in 0..3 {
            writer.publish(Item(number));
        }
        writer
    });
    for number in 0..3 {
        assert_eq!(reader.recv(), Some(Item(number)));
    }
    let writer = publisher.join().unwrap();
    assert_eq!(writer.gathered(), 0);
}

fn inproc_closed() {
    let (writer, reader) = SocketShared::meet(None);
    let sender = thread::spawn(move || {
        writer.send(Item(0));
        writer.close();
        writer
    });
    assert_eq!(reader.recv(), Some(Item(0)));
    assert_eq!(reader.recv(), None);
    sender.join().unwrap();
}
