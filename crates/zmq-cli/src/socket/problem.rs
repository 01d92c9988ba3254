//! What can go wrong with a socket, as an end of the program.

use zmq::{
    BindError, CloseReport, ConnectError, EndpointFault, ReadyError, ReadyFailure, RecvError,
    RequestError, SendError, SendFailure,
};

use crate::failure::Failure;

pub(super) fn not_bound(error: &BindError) -> Failure {
    of_endpoint(error.fault(), error.to_string())
}

pub(super) fn not_connected(error: &ConnectError) -> Failure {
    of_endpoint(error.fault(), error.to_string())
}

/// What cannot be read was written wrongly; the rest is the world's fault.
fn of_endpoint(fault: EndpointFault, told: String) -> Failure {
    match fault {
        EndpointFault::Malformed => Failure::Usage(told),
        _ => Failure::Error(told),
    }
}

pub(crate) fn not_ready(error: &ReadyError) -> Failure {
    match error.reason() {
        ReadyFailure::TimedOut => Failure::TimedOut(error.to_string()),
        _ => Failure::error(error),
    }
}

pub(crate) fn not_sent(error: &SendError) -> Failure {
    match error.reason() {
        SendFailure::TimedOut => Failure::TimedOut(error.to_string()),
        _ => Failure::error(error),
    }
}

pub(crate) fn not_received(error: &RecvError) -> Failure {
    match error {
        RecvError::TimedOut => Failure::TimedOut(error.to_string()),
        _ => Failure::error(error),
    }
}

pub(crate) fn not_answered(error: &RequestError) -> Failure {
    match error {
        RequestError::NotSent(error) => not_sent(error),
        RequestError::NoReply(error) => not_received(error),
        _ => Failure::error(error),
    }
}

/// Whether everything has left.
pub(crate) fn closed(report: &CloseReport) -> Result<(), Failure> {
    match report.unsent {
        0 => Ok(()),
        unsent => Err(Failure::Unsent(unsent)),
    }
}
