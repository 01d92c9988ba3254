//! References to metadata that go round.
//!
//! A message that carries the metadata of its connection holds a counted reference to it. To make and to let go of one are two atomic
//! operations, in the C library an eighth of the receiver's time with 64 octets. The C library gives the reference to the thread
//! instead when it lets go of such a message, which hands it out with the next message of that connection.
//!
//! A thread keeps references to the metadata of one connection at a time, 1024 at most: metadata outlives its connection by as much.

use std::cell::Cell;
use std::sync::Arc;

use zmtp_wire::Properties;

/// References that a thread keeps.
const MOST: usize = 1024;

thread_local! {
    /// All to the same. Taken out while it is looked at.
    static KEPT: Cell<Vec<Arc<Properties>>> = const { Cell::new(Vec::new()) };
}

/// Gives a reference to metadata back to the thread, to be handed out again. What is too much is let go of.
#[inline]
pub fn give_back(reference: Arc<Properties>) {
    let _ = KEPT.try_with(|place| {
        let mut kept = place.take();
        let wanted = match kept.last() {
            Some(last) => Arc::ptr_eq(last, &reference),
            // Nobody else has the last one: its connection has ended, or it was one message's own.
            None => Arc::strong_count(&reference) > 1,
        };
        if wanted && kept.len() < MOST {
            kept.push(reference);
        }
        place.set(kept);
    });
}

/// A source of references to one connection's metadata, for several messages at once.
pub(crate) struct References<'a> {
    properties: &'a Arc<Properties>,
    kept: Vec<Arc<Properties>>,
}

impl References<'_> {
    pub(crate) fn to(properties: &Arc<Properties>) -> References<'_> {
        let mut kept = KEPT.try_with(Cell::take).unwrap_or_default();
        if kept
            .last()
            .is_some_and(|last| !Arc::ptr_eq(last, properties))
        {
            kept.clear();
        }
        References { properties, kept }
    }

    /// One that was given back, or else one more.
    #[inline]
    pub(crate) fn next(&mut self) -> Arc<Properties> {
        let kept = self.kept.pop();
        kept.unwrap_or_else(|| Arc::clone(self.properties))
    }
}

impl Drop for References<'_> {
    fn drop(&mut self) {
        let kept = std::mem::take(&mut self.kept);
        let _ = KEPT.try_with(|place| place.set(kept));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many references there are beside that of the test.
    fn others(properties: &Arc<Properties>) -> usize {
        Arc::strong_count(properties) - 1
    }

    #[test]
    fn references_that_were_given_back_are_handed_out_again() {
        let properties = Arc::new(Properties::default());
        let first = References::to(&properties).next();
        assert_eq!(others(&properties), 1);
        give_back(first);
        assert_eq!(others(&properties), 1, "kept");
        let mut source = References::to(&properties);
        let again = [source.next(), source.next()];
        assert_eq!(others(&properties), 2, "one of them is the first");
        drop(source);
        again.into_iter().for_each(give_back);
        assert_eq!(others(&properties), 2);
    }

    #[test]
    fn a_thread_keeps_those_of_one_connection_up_to_a_bound() {
        let (one, other) = (
            Arc::new(Properties::default()),
            Arc::new(Properties::default()),
        );
        for _ in 0..2 * MOST {
            give_back(Arc::clone(&one));
        }
        assert_eq!(others(&one), MOST);
        give_back(Arc::clone(&other));
        assert_eq!(others(&other), 0);
        let handed_out = References::to(&other).next();
        assert_eq!((others(&one), others(&other)), (0, 1));
        give_back(handed_out);
        assert_eq!(others(&other), 1);
    }

    #[test]
    fn a_last_reference_is_not_kept() {
        let properties = Arc::new(Properties::default());
        let watch = Arc::downgrade(&properties);
        give_back(properties);
        assert!(watch.upgrade().is_none());
    }

    #[test]
    fn what_a_thread_keeps_goes_with_it() {
        let properties = Arc::new(Properties::default());
        let other = Arc::clone(&properties);
        std::thread::spawn(move || give_back(other)).join().unwrap();
        assert_eq!(others(&properties), 0);
    }
}
