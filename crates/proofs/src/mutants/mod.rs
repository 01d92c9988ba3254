//! Ways to break the protocols. The build script sees to it that each still fits; `cargo xtask loom` tries whether its model
//! notices.

mod gathering;
mod locking;
mod waiting;

/// A change that a model must fail for.
#[allow(
    dead_code,
    reason = "read by the build script in part and by the program in part"
)]
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    /// The model that must fail.
    pub(crate) model: &'static str,
    /// How the path of the broken file ends.
    pub(crate) file: &'static str,
    /// What is there once, and what takes its place.
    pub(crate) changes: &'static [(&'static str, &'static str)],
    /// What goes wrong.
    pub(crate) why: &'static str,
}

pub(crate) fn all() -> impl Iterator<Item = &'static Mutant> {
    waiting::MUTANTS
        .iter()
        .chain(gathering::MUTANTS)
        .chain(locking::MUTANTS)
}
