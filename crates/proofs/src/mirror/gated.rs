//! A lock's gate and what it stands on, and values that are used behind it.

use std::sync::Arc;

use loom::cell::UnsafeCell;

/// `mutex`.
mod mutex {
    include!(concat!(env!("OUT_DIR"), "/mutex.rs"));
}

/// `gate`.
mod gate {
    include!(concat!(env!("OUT_DIR"), "/gate.rs"));
}

/// `place`.
#[allow(unreachable_pub, reason = "elsewhere it is the crate's interface")]
mod place {
    include!(concat!(env!("OUT_DIR"), "/place.rs"));
}

pub(crate) use place::{Visit, wait as wait_for_visits};

/// `fence`. The two halves together are what two sequentially consistent fences are. The light one is no fence by itself, as it is here: that what a thread says of one gate
/// is released when it says it of the next is seen by no model.
mod fence {
    use crate::sync::atomic::{self, Ordering};

    pub(super) fn light() {
        atomic::fence(Ordering::SeqCst);
    }

    pub(super) fn heavy() {
        atomic::fence(Ordering::SeqCst);
    }

    pub(super) fn is_available() -> bool {
        true
    }
}

/// `policy`: a gate is the own one of whoever comes, as often as can be.
mod policy {
    #[derive(Debug)]
    pub(super) struct Policy;

    impl Policy {
        pub(super) fn new() -> Policy {
            Policy
        }

        pub(super) fn note(&self, _: usize) {}

        pub(super) fn grants(&self) -> bool {
            true
        }

        pub(super) fn granted(&self, _: u32) {}

        pub(super) fn ousted(&self, _: u32) {}
    }
}

/// `reference`, of records only: by their addresses.
mod reference {
    use std::marker::PhantomData;

    use super::thread::{self, Record};
    use crate::sync::atomic::{AtomicUsize, Ordering};

    const NONE: usize = 0;

    #[derive(Debug)]
    pub(super) struct Reference<T>(AtomicUsize, PhantomData<T>);

    fn address_of(reference: Option<&'static Record>) -> usize {
        reference.map_or(NONE, Record::address)
    }

    impl Reference<Record> {
        pub(super) fn none() -> Reference<Record> {
            Reference(AtomicUsize::new(NONE), PhantomData)
        }

        pub(super) fn get(&self) -> Option<&'static Record> {
            let address = self.0.load(Ordering::Acquire);
            let mut all = thread::all().into_iter();
            all.find(|record| record.address() == address)
        }

        pub(super) fn set(&self, to: Option<&'static Record>) {
            self.0.store(address_of(to), Ordering::Release);
        }

        pub(super) fn is(&self, what: &'static Record) -> bool {
            self.0.load(Ordering::Relaxed) == what.address()
        }

        pub(super) fn is_none(&self) -> bool {
            self.0.load(Ordering::Relaxed) == NONE
        }
    }
}

/// `sleep`: a queue for each number.
mod sleep {
    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::rc::Rc;

    use loom::sync::{Condvar, Mutex};

    use crate::sync::atomic::{AtomicU32, Ordering};

    type Queue = Rc<(Mutex<()>, Condvar)>;

    thread_local! {
        /// A model has a thread of the system for itself.
        static QUEUES: RefCell<HashMap<usize, Queue>> = RefCell::default();
    }

    pub(super) fn forget() {
        QUEUES.take();
    }

    fn queue(number: &AtomicU32) -> Queue {
        let at = std::ptr::from_ref(number).addr();
        QUEUES.with_borrow_mut(|queues| Rc::clone(queues.entry(at).or_default()))
    }

    pub(super) fn look(_: u32, _: impl Fn() -> bool) -> bool {
        false
    }

    pub(super) fn wait(number: &AtomicU32, while_it_is: u32) {
        let queue = queue(number);
        let lock = queue.0.lock().unwrap();
        if number.load(Ordering::Relaxed) == while_it_is {
            drop(queue.1.wait(lock).unwrap());
        }
    }

    pub(super) fn wake(number: &AtomicU32) {
        let queue = queue(number);
        drop(queue.0.lock().unwrap());
        queue.1.notify_one();
    }

    pub(super) fn a_moment(_: u32) {
        loom::thread::yield_now();
    }
}

/// `thread`: every thread of a model has a record.
mod thread {
    use std::cell::Cell;

    use loom::sync::Mutex;

    use crate::sync::atomic::{AtomicU32, AtomicUsize};

    pub(super) const NOWHERE: u32 = 0;

    #[derive(Debug)]
    pub(super) struct Record {
        pub(super) inside: AtomicU32,
        pub(super) place: AtomicUsize,
    }

    loom::thread_local! {
        static OWN: &'static Record = {
            let record: &'static Record = Box::leak(Box::new(Record {
                inside: AtomicU32::new(NOWHERE),
                place: AtomicUsize::new(NOWHERE as usize),
            }));
            ALL.lock().unwrap().push(record);
            record
        };
    }

    loom::lazy_static! {
        static ref ALL: Mutex<Vec<&'static Record>> = Mutex::new(Vec::new());
    }

    thread_local! {
        static NAMES: Cell<u32> = const { Cell::new(NOWHERE) };
    }

    impl Record {
        pub(super) fn address(&'static self) -> usize {
            std::ptr::from_ref(self).addr()
        }

        pub(super) fn is_none(&self) -> bool {
            false
        }

        pub(super) fn is_gone(&self) -> bool {
            false
        }
    }

    pub(super) fn known() -> &'static Record {
        OWN.with(|own| *own)
    }

    pub(super) fn own() -> Option<&'static Record> {
        Some(known())
    }

    pub(super) fn all() -> Vec<&'static Record> {
        ALL.lock().unwrap().clone()
    }

    pub(super) fn name() -> u32 {
        NAMES.set(NAMES.get() + 1);
        NAMES.get()
    }
}

/// `lock::Lock` of a number.
pub(crate) struct Lock {
    gate: gate::Gate,
    value: UnsafeCell<u32>,
}

impl Lock {
    /// The first of a model.
    pub(crate) fn alone() -> Arc<Lock> {
        sleep::forget();
        Lock::another()
    }

    pub(crate) fn another() -> Arc<Lock> {
        Arc::new(Lock {
            gate: gate::Gate::new(),
            value: UnsafeCell::new(0),
        })
    }

    /// `lock`, and something that takes a while.
    pub(crate) fn use_it(&self) {
        let pass = self.gate.enter();
        self.touch();
        self.gate.leave(pass);
    }

    /// `try_lock`, and the same.
    pub(crate) fn try_to_use_it(&self) -> bool {
        let Some(pass) = self.gate.try_enter() else {
            return false;
        };
        self.touch();
        self.gate.leave(pass);
        true
    }

    /// Within one, another.
    pub(crate) fn use_both(&self, other: &Lock) {
        let pass = self.gate.enter();
        other.use_it();
        self.touch();
        self.gate.leave(pass);
    }

    /// The model sees it if another thread does so at the same time, or has done so and it did not happen before.
    pub(crate) fn touch(&self) {
        self.value.with_mut(|_| loom::thread::yield_now());
    }
}
