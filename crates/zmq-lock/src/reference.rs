//! A place for a reference that stays valid for ever.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A reference, or none. Only what lives for ever can be put in.
#[derive(Debug)]
pub(crate) struct Reference<T: 'static>(AtomicPtr<T>);

impl<T: Sync> Reference<T> {
    pub(crate) const fn none() -> Reference<T> {
        Reference(AtomicPtr::new(ptr::null_mut()))
    }

    /// Acquires what was released with it.
    #[inline]
    pub(crate) fn get(&self) -> Option<&'static T> {
        let address = self.0.load(Ordering::Acquire);
        // SAFETY: null, or made of a reference of the same type that is valid for ever (`set`, `replace`).
        unsafe { address.as_ref() }
    }

    /// Releases what was done before.
    #[inline]
    pub(crate) fn set(&self, to: Option<&'static T>) {
        self.0.store(address_of(to), Ordering::Release);
    }

    /// Puts one in the place of the other, if that is what is there.
    pub(crate) fn replace(&self, from: Option<&'static T>, to: &'static T) -> bool {
        let (from, to) = (address_of(from), address_of(Some(to)));
        self.0
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// Whether it is this one, without a promise about anything else.
    #[inline]
    pub(crate) fn is(&self, what: &'static T) -> bool {
        ptr::eq(self.0.load(Ordering::Relaxed), what)
    }

    /// Whether there is none, without a promise about anything else.
    #[inline]
    pub(crate) fn is_none(&self) -> bool {
        self.0.load(Ordering::Relaxed).is_null()
    }
}

fn address_of<T>(reference: Option<&'static T>) -> *mut T {
    reference.map_or(ptr::null(), ptr::from_ref).cast_mut()
}
