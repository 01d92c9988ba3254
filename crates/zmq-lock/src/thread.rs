//! What each thread says of itself for others to read.

use std::cell::Cell;
use std::iter;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use crate::fence;
use crate::reference::Reference;

/// Inside no gate, at no place.
pub(crate) const NOWHERE: u32 = 0;

/// What one thread writes and all may read. Never freed: the record of a thread that has ended is another thread's later. Who gets it
/// gets what is under its name, too: whatever the thread before has done happened before.
///
/// Only where the fence is available has any thread a record.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Record {
    /// The gate that the thread is inside of as its owner.
    pub(crate) inside: AtomicU32,
    /// The place that the thread visits.
    pub(crate) place: AtomicUsize,
    /// It is some thread's.
    taken: AtomicBool,
    /// The thread was inside or at a place when its process was forked, and this is the child: it stays there for ever.
    gone: AtomicBool,
    /// The one that was made before.
    before: Reference<Record>,
}

/// The record that was made last. No lock, as a forked child would wait for ever for who had it.
static LAST: Reference<Record> = Reference::none();

/// Stands for the record of a thread that has none.
static NONE: Record = Record::new();

/// The next gate's name.
static NEXT: AtomicU32 = AtomicU32::new(NOWHERE + 1);

thread_local! {
    static OWN: Cell<&'static Record> = const { Cell::new(&NONE) };
    static END: Cell<Option<End>> = const { Cell::new(None) };
}

/// Gives the record away when its thread ends.
struct End(&'static Record);

impl Drop for End {
    fn drop(&mut self) {
        // Destructors that come later find a thread without a record.
        OWN.set(&NONE);
        // Whoever has leaked a guard has locked for ever.
        if self.0.is_nowhere() {
            self.0.taken.store(false, Ordering::Release);
        }
    }
}

impl Record {
    const fn new() -> Record {
        Record {
            inside: AtomicU32::new(NOWHERE),
            place: AtomicUsize::new(NOWHERE as usize),
            taken: AtomicBool::new(true),
            gone: AtomicBool::new(false),
            before: Reference::none(),
        }
    }

    /// What tells it from all others.
    pub(crate) fn address(&'static self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Whether it stands for the record of a thread that has none.
    #[inline]
    pub(crate) fn is_none(&self) -> bool {
        ptr::eq(self, &NONE)
    }

    /// Whether its thread is gone and did not leave where it was.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    fn is_nowhere(&self) -> bool {
        self.inside.load(Ordering::Relaxed) == NOWHERE
            && self.place.load(Ordering::Relaxed) == NOWHERE as usize
    }

    /// Takes it if it is nobody's.
    fn take(&self) -> bool {
        !self.taken.load(Ordering::Relaxed) && !self.taken.swap(true, Ordering::Acquire)
    }
}

/// This thread's record, if it has one, and else one that is nobody's.
#[inline]
pub(crate) fn known() -> &'static Record {
    OWN.get()
}

/// This thread's record. A thread that is ending may have none, and none has one where the fence is not available.
#[inline]
pub(crate) fn own() -> Option<&'static Record> {
    let known = OWN.get();
    if known.is_none() {
        begin()
    } else {
        Some(known)
    }
}

#[cold]
fn begin() -> Option<&'static Record> {
    if !fence::is_available() {
        return None;
    }
    let record = all().find(|record| record.take()).unwrap_or_else(add);
    let mut end = Some(End(record));
    // In a thread that is ending it is dropped at once, and the record is nobody's again.
    END.try_with(|place| place.set(end.take())).ok()?;
    OWN.set(record);
    Some(record)
}

fn add() -> &'static Record {
    let record: &'static Record = Box::leak(Box::new(Record::new()));
    loop {
        let last = LAST.get();
        record.before.set(last);
        if LAST.replace(last, record) {
            return record;
        }
    }
}

/// Every record there is.
pub(crate) fn all() -> impl Iterator<Item = &'static Record> {
    iter::successors(LAST.get(), |record| record.before.get())
}

/// In a child that was forked just now, whose one thread this is.
pub(crate) fn forked() {
    let own = known();
    for record in all().filter(|record| !ptr::eq(*record, own)) {
        if record.is_nowhere() {
            record.taken.store(false, Ordering::Relaxed);
        } else {
            // What it was about is half done, in the child for ever.
            record.gone.store(true, Ordering::Relaxed);
        }
    }
}

/// A name for a gate.
pub(crate) fn name() -> u32 {
    match NEXT.fetch_add(1, Ordering::Relaxed) {
        NOWHERE => NEXT.fetch_add(1, Ordering::Relaxed),
        name => name,
    }
}
