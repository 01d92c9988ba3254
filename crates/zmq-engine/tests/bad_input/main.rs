//! Strangers over tcp, against every type of socket: their connection ends with a reason in the monitor, others do not notice,
//! and nothing of theirs is delivered.

mod attacks;
mod fragments;
mod hall;
