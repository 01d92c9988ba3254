//! The engine under test as a side of a scripted conversation.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use peer_script::{Failure, Side, Value};
use zmq_engine::wire::{Error, Refused};
use zmq_engine::{
    CloseReason, Context, EndpointError, EndpointProblem, Happening, Message, Monitor,
    MonitorEvent, MonitorItem, OptionError, Properties, RecvError, SendFailure, Socket,
    SocketOptions, SocketType, Unasked,
};

use crate::settings::Settings;

/// Named sockets of one context of the engine.
#[derive(Debug)]
pub struct Ours {
    sockets: HashMap<String, Open>,
    context: Context,
}

#[derive(Debug)]
struct Open {
    socket: Socket,
    monitor: Option<Monitor>,
    settings: Settings,
    /// Of the connection that the last message came over.
    last: Option<Properties>,
}

impl Ours {
    /// A side without sockets.
    ///
    /// # Errors
    /// When the context cannot start.
    pub fn new() -> std::io::Result<Ours> {
        Ok(Ours {
            sockets: HashMap::new(),
            context: Context::new()?,
        })
    }

    fn get(&mut self, name: &str) -> Result<&mut Open, Failure> {
        self.sockets
            .get_mut(name)
            .ok_or_else(|| invalid("no socket", name))
    }
}

fn invalid(what: &str, name: &str) -> Failure {
    Failure::new("EINVAL", format!("{what} {name}"))
}

fn endpoint_failure(error: EndpointError) -> Failure {
    let code = match &error.problem {
        EndpointProblem::Address(_) | EndpointProblem::Incompatible { .. } => "EINVAL",
        EndpointProblem::InUse => "EADDRINUSE",
        EndpointProblem::Io(error) if error.kind() == std::io::ErrorKind::AddrInUse => "EADDRINUSE",
        EndpointProblem::Unknown => "ENOENT",
        EndpointProblem::Terminated => "ETERM",
        _ => "EOTHER",
    };
    Failure::new(code, error)
}

fn option_failure(error: OptionError) -> Failure {
    Failure::new("EINVAL", error)
}

fn send_failure(reason: SendFailure) -> Failure {
    let code = match reason {
        SendFailure::WouldBlock | SendFailure::TimedOut => "EAGAIN",
        SendFailure::Unroutable => "EHOSTUNREACH",
        SendFailure::WrongState(_) => "EFSM",
        SendFailure::WrongDirection(_) => "ENOTSUP",
        SendFailure::Invalid(_) => "EINVAL",
        SendFailure::Terminated => "ETERM",
        SendFailure::Interrupted => "EINTR",
        _ => "EOTHER",
    };
    Failure::new(code, reason)
}

fn recv_failure(reason: RecvError) -> Failure {
    let code = match reason {
        RecvError::WouldBlock | RecvError::TimedOut => "EAGAIN",
        RecvError::WrongState(_) => "EFSM",
        RecvError::WrongDirection(_) => "ENOTSUP",
        RecvError::Terminated => "ETERM",
        RecvError::Interrupted => "EINTR",
        _ => "EOTHER",
    };
    Failure::new(code, reason)
}

/// The word libzmq's monitor has for it, where it has one.
fn event_name(what: &Happening) -> &'static str {
    match what {
        Happening::Listening { .. } => "LISTENING",
        Happening::Accepted { .. } => "ACCEPTED",
        Happening::AcceptFailed { .. } => "ACCEPT_FAILED",
        Happening::Connecting => "CONNECT_DELAYED",
        Happening::Connected { .. } => "CONNECTED",
        Happening::Retrying { .. } => "CONNECT_RETRIED",
        Happening::Ready { .. } => "HANDSHAKE_SUCCEEDED",
        Happening::Closed {
            was_ready: true, ..
        } => "DISCONNECTED",
        Happening::Closed {
            reason:
                CloseReason::Denied { .. }
                | CloseReason::Protocol(Error::Refused(Refused::ByPeer(Some(_)))),
            ..
        } => "HANDSHAKE_FAILED_AUTH",
        Happening::Closed {
            reason:
                CloseReason::Protocol(_)
                | CloseReason::OtherServerKey
                | CloseReason::Unasked(Unasked::BadReply(_)),
            ..
        } => "HANDSHAKE_FAILED_PROTOCOL",
        Happening::Closed { .. } => "HANDSHAKE_FAILED_NO_DETAIL",
        Happening::StoppedListening { .. } => "CLOSED",
        _ => "UNKNOWN",
    }
}

fn describe(event: &MonitorEvent) -> String {
    let name = event_name(&event.what);
    match &event.what {
        Happening::Closed { reason, .. } => format!("{name} {} ({reason})", event.endpoint),
        Happening::Ready {
            version: Some(version),
            ..
        } => format!("{name} {} {version:?}", event.endpoint),
        _ => format!("{name} {}", event.endpoint),
    }
}

impl Side for Ours {
    fn open(&mut self, socket: &str, kind: &str) -> Result<(), Failure> {
        let socket_type = SocketType::from_name(kind.as_bytes())
            .ok_or_else(|| invalid("no socket type", kind))?;
        let mut options = SocketOptions::default();
        // libzmq's messages always have them.
        options.attach_properties = true;
        let opened = Socket::open(&self.context, socket_type, options);
        let opened = opened.map_err(|error| Failure::new("EOTHER", error))?;
        let open = Open {
            socket: opened,
            monitor: None,
            settings: Settings::default(),
            last: None,
        };
        self.sockets.insert(socket.to_owned(), open);
        Ok(())
    }

    fn set(&mut self, socket: &str, option: &str, value: &Value) -> Result<(), Failure> {
        let open = self.get(socket)?;
        let option = open.settings.change(option, value)?;
        open.socket.set(option).map_err(option_failure)
    }

    fn bind(&mut self, socket: &str, endpoint: &str) -> Result<String, Failure> {
        self.get(socket)?
            .socket
            .bind(endpoint)
            .map_err(endpoint_failure)
    }

    fn connect(&mut self, socket: &str, endpoint: &str) -> Result<(), Failure> {
        self.get(socket)?
            .socket
            .connect(endpoint)
            .map_err(endpoint_failure)
    }

    fn unbind(&mut self, socket: &str, endpoint: &str) -> Result<(), Failure> {
        self.get(socket)?
            .socket
            .unbind(endpoint)
            .map_err(endpoint_failure)
    }

    fn disconnect(&mut self, socket: &str, endpoint: &str) -> Result<(), Failure> {
        self.get(socket)?
            .socket
            .disconnect(endpoint)
            .map_err(endpoint_failure)
    }

    fn subscribe(&mut self, socket: &str, topic: &[u8]) -> Result<(), Failure> {
        self.get(socket)?
            .socket
            .subscribe(topic)
            .map_err(option_failure)
    }

    fn unsubscribe(&mut self, socket: &str, topic: &[u8]) -> Result<(), Failure> {
        self.get(socket)?
            .socket
            .unsubscribe(topic)
            .map_err(option_failure)
    }

    fn send(&mut self, socket: &str, frames: &[Vec<u8>], wait: Duration) -> Result<(), Failure> {
        let socket = &self.get(socket)?.socket;
        let deadline = Instant::now() + wait;
        let mut message: Message = frames.iter().map(Vec::as_slice).collect();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match socket.send(message, Some(left)) {
                Err(error) if error.reason == SendFailure::Interrupted => message = error.message,
                result => return result.map_err(|error| send_failure(error.reason)),
            }
        }
    }

    fn recv(&mut self, socket: &str, wait: Duration) -> Result<Vec<Vec<u8>>, Failure> {
        let open = self.get(socket)?;
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match open.socket.recv(Some(left)) {
                Err(RecvError::Interrupted) => {}
                Err(error) => return Err(recv_failure(error)),
                Ok(message) => {
                    open.last = message
                        .properties()
                        .map(|properties| (**properties).clone());
                    return Ok(message
                        .frames()
                        .iter()
                        .map(|frame| frame.to_vec())
                        .collect());
                }
            }
        }
    }

    fn monitor(&mut self, socket: &str) -> Result<(), Failure> {
        let open = self.get(socket)?;
        open.monitor = Some(
            open.socket
                .monitor()
                .map_err(|error| Failure::new("EOTHER", error))?,
        );
        Ok(())
    }

    fn event(&mut self, socket: &str, name: &str, wait: Duration) -> Result<String, Failure> {
        let open = self.get(socket)?;
        let monitor = open
            .monitor
            .as_ref()
            .ok_or_else(|| invalid("no monitor of", socket))?;
        let deadline = Instant::now() + wait;
        let mut others = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match monitor.next_timeout(Some(left)) {
                MonitorItem::Event(event)
                    if name.split('|').any(|name| name == event_name(&event.what)) =>
                {
                    return Ok(describe(&event));
                }
                MonitorItem::Event(event) => others.push(describe(&event)),
                MonitorItem::Pending => {
                    return Err(Failure::new(
                        "EAGAIN",
                        format!("passed over: {}", others.join("; ")),
                    ));
                }
                MonitorItem::Ended => return Err(invalid("ended: monitor of", socket)),
            }
        }
    }

    fn property(&mut self, socket: &str, name: &str) -> Result<String, Failure> {
        let last = self.get(socket)?.last.as_ref();
        let property = last.and_then(|properties| properties.get(name));
        let property =
            property.ok_or_else(|| invalid("no such property of the last message:", name))?;
        Ok(String::from_utf8_lossy(property).into_owned())
    }

    fn close(&mut self, socket: &str) -> Result<(), Failure> {
        let open = self
            .sockets
            .remove(socket)
            .ok_or_else(|| invalid("no socket", socket))?;
        open.socket.close(open.settings.linger());
        Ok(())
    }

    fn version(&mut self) -> Result<String, Failure> {
        Ok(format!("zmq-engine {}", env!("CARGO_PKG_VERSION")))
    }
}
