//! How closely messages follow each other, and how many gather then.

/// How output leaves a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Each message is written by its sender at once.
    Idle,
    /// Messages follow each other closely: they gather, and leave at a size mark, with the driver's tick, or when a
    /// caller of this socket is about to wait.
    Hot,
}

/// Octets gathered before a sender in a burst writes them itself: with their heads, and with the message that brings them there, a little
/// less than two of the segments of some 65,480 octets that a kernel makes of a write. A few octets in a segment of their own cost
/// what a whole one costs.
pub(crate) const FLUSH_OCTETS: usize = 119 * 1024;

/// Octets of one write of messages that are not large, at most: two segments, but for what a mechanism puts around one frame. So the last
/// few messages of what has gathered need no write of their own.
pub(crate) const WRITE_OCTETS: usize = 2 * 65_483 - 64;

/// As [`FLUSH_OCTETS`], for large messages, of which so few make it: their writes cost by the call what small ones cost by the message.
pub(crate) const FLUSH_LARGE: usize = 256 * 1024;

/// No more messages than this are few.
pub(crate) const FEW: usize = 8;

/// Messages gathered before a sender in a burst writes them itself: not quite as many as the mark allows unless it was changed, as to
/// reach that costs more than to write.
pub(crate) const FLUSH_MESSAGES: usize = 960;

/// Where a message is lost when the mark is reached, what gathers is no more than this part of the mark: while it is being written it counts, and
/// others come.
const LOSSY_PART: usize = 2;

/// Messages up to here are encoded when they are accepted; larger ones are kept as they are, and those that are never copied are among
/// them.
pub(crate) const PACKED: usize = 8 * 1024;

/// Messages of more frames are not packed: their heads are octets that no mark counts.
pub(crate) const PACKED_FRAMES: usize = 8;

/// Octets on the wire of a pack, at most: those of a write.
pub(crate) const LARGEST_PACK: usize = WRITE_OCTETS;

/// The head of a frame, at most.
pub(crate) const FRAME_HEAD: usize = 9;

/// Writes that follow each other within this time are a burst.
pub(crate) const BURST_MICROS: u64 = 5;

/// How many messages gather before their sender writes them, where the mark is `mark`; fewer where what comes beyond it is lost.
pub(crate) fn gathers(mark: Option<u32>, lossy: bool) -> usize {
    match mark {
        Some(mark) if lossy => FLUSH_MESSAGES.min(mark as usize / LOSSY_PART).max(1),
        _ => FLUSH_MESSAGES,
    }
}
