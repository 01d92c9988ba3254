//! Who is inside. The protocol, without what it protects.
//!
//! One is inside who holds the common lock while there is no owner and none is inside, or who owns the gate and has said so. The owner says in
//! its record that it is inside, and then looks whether it still owns the gate; one who takes the gate away says that nobody owns it, and then looks whether
//! the owner is inside. Between the two steps of each is one half of a [fence], so one of them sees the other.
//!
//! The same two steps tell when the owner leaves: it says so, and then looks whether somebody may be asleep who waits for that.
//!
//! Each thread says it in a record of its own: one that has lost the gate and does not know yet may still write there, however late, and nobody
//! takes it for what the next owner says.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::fence;
use crate::mutex::Mutex;
use crate::policy::Policy;
use crate::reference::Reference;
use crate::sleep;
use crate::thread::{self, NOWHERE, Record};

const LOCKED_AGAIN: &str = "a thread locks what it has locked";

#[derive(Debug)]
pub(crate) struct Gate {
    /// Who owns it. Written with the common lock held.
    owner: Reference<Record>,
    /// What tells it from others. Two of the same name, after four milliards of others, are taken for one another: a thread that is inside of one
    /// and wants to enter the other panics.
    name: u32,
    common: Mutex,
    /// Who owned it and may still be inside. Used with the common lock held.
    ousted: Reference<Record>,
    /// How often owners have been inside. Only they write it, as nobody relies on it.
    visits: AtomicU32,
    policy: Policy,
}

/// That one is inside, and how it came in: as the owner, whose record this is, or as everybody. It has to be given back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass(Option<&'static Record>);

impl Gate {
    pub(crate) fn new() -> Gate {
        Gate {
            owner: Reference::none(),
            name: thread::name(),
            common: Mutex::new(),
            ousted: Reference::none(),
            visits: AtomicU32::new(0),
            policy: Policy::new(),
        }
    }

    /// Waits until nobody is inside, and comes in.
    ///
    /// # Panics
    ///
    /// In the owner's thread, if that is inside. (Not always if it has lost the gate since: then it waits for ever, as who came in as everybody does.)
    #[inline]
    pub(crate) fn enter(&self) -> Pass {
        let own = thread::known();
        if self.belongs_to(own) && self.enter_as_owner(own) {
            return Pass(Some(own));
        }
        self.enter_as_all();
        Pass(None)
    }

    /// Comes in unless somebody is inside.
    pub(crate) fn try_enter(&self) -> Option<Pass> {
        let own = thread::known();
        if self.is_inside(own) {
            return None;
        }
        if self.belongs_to(own) && self.enter_as_owner(own) {
            return Some(Pass(Some(own)));
        }
        if !self.common.try_lock() {
            return None;
        }
        self.oust();
        if self
            .ousted
            .get()
            .is_some_and(|ousted| self.is_inside(ousted))
        {
            self.common.unlock();
            return None;
        }
        self.come_in();
        Some(Pass(None))
    }

    /// Goes out.
    #[inline]
    pub(crate) fn leave(&self, pass: Pass) {
        match pass.0 {
            Some(own) => {
                let visits = self.visits.load(Ordering::Relaxed);
                self.visits.store(visits.wrapping_add(1), Ordering::Relaxed);
                self.leave_as_owner(own);
            }
            None => self.leave_as_all(),
        }
    }

    /// Whether a thread owns the gate. It knows itself; of others this says nothing.
    #[inline]
    fn belongs_to(&self, own: &'static Record) -> bool {
        self.owner.is(own)
    }

    #[inline]
    fn is_inside(&self, thread: &'static Record) -> bool {
        thread.inside.load(Ordering::Acquire) == self.name
    }

    /// For the owner, who may have lost the gate since it looked. Says whether it has not.
    #[inline]
    fn enter_as_owner(&self, own: &'static Record) -> bool {
        let inside = own.inside.load(Ordering::Relaxed);
        if inside != NOWHERE {
            // A thread can say of one gate only that it is inside.
            assert!(inside != self.name, "{LOCKED_AGAIN}");
            return false;
        }
        // Released, as who waits at another gate may see this and not that the thread has left that one.
        own.inside.store(self.name, Ordering::Release);
        fence::light();
        if self.belongs_to(own) {
            // What others did inside was before they let go of the common lock, with which this thread became the owner.
            return true;
        }
        self.leave_as_owner(own);
        false
    }

    #[inline]
    fn leave_as_owner(&self, own: &'static Record) {
        own.inside.store(NOWHERE, Ordering::Release);
        fence::light();
        // Who sleeps keeps the common lock, so there is no other owner yet.
        if self.owner.is_none() {
            sleep::wake(&own.inside);
        }
    }

    #[inline(never)]
    fn enter_as_all(&self) {
        self.common.lock();
        let own = thread::known();
        self.oust();
        if let Some(ousted) = self.ousted.get() {
            while self.is_inside(ousted) {
                if ousted.address() == own.address() {
                    self.common.unlock();
                    panic!("{LOCKED_AGAIN}");
                }
                sleep::wait(&ousted.inside, self.name);
            }
        }
        self.come_in();
    }

    #[inline(never)]
    fn leave_as_all(&self) {
        if self.policy.grants() {
            self.grant();
        }
        self.common.unlock();
    }

    /// Nobody is inside, and nobody owns the gate.
    #[inline]
    fn come_in(&self) {
        self.ousted.set(None);
        if let Some(own) = thread::own() {
            self.policy.note(own.address());
        }
    }

    /// Nobody owns the gate from now on. Who did may still be inside.
    #[inline]
    fn oust(&self) {
        if let Some(owner) = self.owner.get() {
            self.owner.set(None);
            fence::heavy();
            self.ousted.set(Some(owner));
            self.policy.ousted(self.visits.load(Ordering::Relaxed));
        }
    }

    /// From now on the gate is the own one of who is inside.
    #[cold]
    fn grant(&self) {
        self.policy.granted(self.visits.load(Ordering::Relaxed));
        // Who has no record was not noted either.
        self.owner.set(thread::own());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn come_and_go(gate: &Gate) {
        let pass = gate.enter();
        gate.leave(pass);
    }

    /// More often than a new gate wants.
    fn come_often(gate: &Gate) {
        (0..1000).for_each(|_| come_and_go(gate));
    }

    #[test]
    fn who_comes_often_owns_the_gate_until_another_comes() {
        let gate = Gate::new();
        come_often(&gate);
        let owned = || thread::own().is_some_and(|own| gate.belongs_to(own));
        assert_eq!(owned(), fence::is_available());
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                come_and_go(&gate);
                assert!(gate.owner.is_none());
                come_often(&gate);
                assert_eq!(owned(), fence::is_available());
            });
            other.join().unwrap();
        });
        assert!(!owned());
        come_and_go(&gate);
        assert!(gate.owner.is_none());
    }
}
