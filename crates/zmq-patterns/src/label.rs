//! The octets on an edge of the topic tree.

use alloc::boxed::Box;

const INLINE: usize = 22;

/// Up to [`Label::MAX`] octets; up to 22 of them without an allocation.
pub(crate) enum Label {
    Inline { len: u8, octets: [u8; INLINE] },
    Heap(Box<[u8]>),
}

impl Label {
    /// Longer edges become chains. So splitting and joining an edge costs a bounded copy whatever topics others hold.
    pub(crate) const MAX: usize = 240;

    /// A label of the first `MAX` octets of `octets`.
    pub(crate) fn new(octets: &[u8]) -> Label {
        let octets = octets.get(..Label::MAX).unwrap_or(octets);
        let mut short = [0; INLINE];
        match (short.get_mut(..octets.len()), u8::try_from(octets.len())) {
            (Some(home), Ok(len)) => {
                home.copy_from_slice(octets);
                Label::Inline { len, octets: short }
            }
            _ => Label::Heap(octets.into()),
        }
    }

    #[inline]
    pub(crate) fn octets(&self) -> &[u8] {
        match self {
            Label::Inline { len, octets } => octets.get(..usize::from(*len)).unwrap_or(octets),
            Label::Heap(octets) => octets,
        }
    }

    pub(crate) fn heap_octets(&self) -> usize {
        match self {
            Label::Inline { .. } => 0,
            Label::Heap(octets) => octets.len(),
        }
    }
}

impl Default for Label {
    fn default() -> Label {
        Label::Inline {
            len: 0,
            octets: [0; INLINE],
        }
    }
}
