//! Every number that the writer of a text can push against.

/// How much of a text is taken in. What passes a bound is an [`Error`](crate::Error), never cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most octets of a line without its end.
    pub line: usize,
    /// Most levels of properties; those that are not indented are the first.
    pub depth: usize,
    /// Most properties and comments together. Empty lines leave nothing behind and do not count.
    pub nodes: usize,
}

impl Limits {
    /// Lines of 4096 octets, 32 levels, 10000 properties and comments.
    pub const DEFAULT: Limits = Limits {
        line: 4096,
        depth: 32,
        nodes: 10_000,
    };
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::DEFAULT
    }
}
