//! The methods that all sockets of [`zmq`](crate), or all that send or receive, have in common. A macro writes them into
//! each type, so that a type's page shows all it can do.

/// A socket type with everything that does not depend on its pattern.
macro_rules! socket {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name {
            pub(crate) handle: crate::handle::Handle,
        }

        impl $name {
            #[doc = concat!("Opens a ", stringify!($name), " socket with the default [`Options`](crate::Options).")]
            ///
            /// Never fails and never blocks: if the socket cannot be opened, every call on it says so. See
            /// [`Options::try_open`](crate::Options::try_open).
            #[must_use]
            pub fn new(context: &crate::Context) -> $name {
                $name::options().open(context)
            }

            /// What the socket can be told before it opens.
            pub fn options() -> crate::Options<$name> {
                crate::Options::new()
            }

            /// Accepts peers at `endpoint`, and says where it is really bound: a port `0` or `*` lets the system choose.
            /// A socket can be bound to several endpoints.
            ///
            /// Waits only to look up a name, never for a peer. A future that is dropped meanwhile may still bind.
            ///
            /// # Errors
            /// The endpoint cannot be read, is in use, or is refused by the system.
            pub async fn bind(
                &self,
                endpoint: impl AsRef<str>,
            ) -> Result<crate::Endpoint, crate::BindError> {
                self.handle.bind(endpoint.as_ref()).await
            }

            /// Looks for a peer at `endpoint`, now and whenever it was lost. A socket can be connected to several
            /// endpoints.
            ///
            /// Never waits: nobody needs to be there yet. Use `ready` to wait for peers, and the
            /// [monitor](Self::monitor) to learn why one does not come.
            ///
            /// # Errors
            /// The endpoint cannot be read, or it is an `inproc` name of a socket this one cannot talk to.
            pub fn connect(&self, endpoint: impl AsRef<str>) -> Result<(), crate::ConnectError> {
                self.handle.connect(endpoint.as_ref())
            }

            /// Accepts no more peers at `endpoint`, which is one that `bind` returned. Peers that are there stay.
            ///
            /// # Errors
            /// The socket is not bound there.
            pub fn unbind(&self, endpoint: impl AsRef<str>) -> Result<(), crate::UnbindError> {
                self.handle.unbind(endpoint.as_ref())
            }

            /// Leaves the peer at `endpoint`, which is one that was given to `connect`. Messages waiting for it may still
            /// leave for the linger time.
            ///
            /// # Errors
            /// The socket is not connected there.
            pub fn disconnect(
                &self,
                endpoint: impl AsRef<str>,
            ) -> Result<(), crate::DisconnectError> {
                self.handle.disconnect(endpoint.as_ref())
            }

            /// Waits until at least `peers` peers are there: connected, and through with the handshake. Cancel safe.
            ///
            /// # Errors
            /// The socket's context was shut down meanwhile; or nobody will come any more, as what the socket was connected
            /// to refused it for good. The error then tells why.
            pub async fn ready(&self, peers: usize) -> Result<(), crate::ReadyError> {
                crate::ready::peers(&self.handle, peers, None).await
            }

            /// As [`ready`](Self::ready), but no longer than `timeout`. Cancel safe.
            ///
            /// # Errors
            /// As [`ready`](Self::ready), and when the time has passed; the error then tells how the last handshake that
            /// failed meanwhile did so.
            pub async fn ready_timeout(
                &self,
                peers: usize,
                timeout: std::time::Duration,
            ) -> Result<(), crate::ReadyError> {
                crate::ready::peers(&self.handle, peers, Some(timeout)).await
            }

            /// What happens to the connections of this socket from now on.
            ///
            /// # Errors
            /// The system gave no descriptor.
            pub fn monitor(&self) -> Result<crate::Monitor, crate::MonitorError> {
                crate::Monitor::of(&self.handle)
            }

            /// The peers of this socket as they are now.
            #[must_use]
            pub fn peers(&self) -> Vec<crate::PeerSnapshot> {
                self.handle.peers()
            }

            /// What this socket has done so far, in numbers: also every message that was dropped, by reason.
            #[must_use]
            pub fn counters(&self) -> crate::Counters {
                self.handle.counters()
            }

            /// Closes the socket and waits until what it accepted was sent, at most for its linger time. The report says
            /// what was not sent. Dropping a socket instead never waits: its context then sends what is left.
            ///
            /// A future that is dropped meanwhile is as good as a dropped socket.
            pub async fn close(self) -> crate::CloseReport {
                self.handle.close().await
            }
        }

        impl crate::kind::sealed::Sealed for $name {
            const KIND: crate::SocketType = crate::SocketType::$name;

            fn wrap(handle: crate::handle::Handle) -> $name {
                $name { handle }
            }

            fn handle(&self) -> &crate::handle::Handle {
                &self.handle
            }
        }

        impl From<crate::blocking::$name> for $name {
            /// The same socket for async callers.
            fn from(socket: crate::blocking::$name) -> $name {
                $name { handle: socket.handle }
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.handle.fmt(f)
            }
        }
    };
}

/// `send` and its relatives, for patterns that wait for room.
macro_rules! sends {
    ($name:ident, $how:literal) => {
        impl $name {
            #[doc = $how]
            ///
            /// Waits while there is no room: see [`Options::send_hwm`](crate::Options::send_hwm). Accepted means queued:
            /// [`close`](Self::close) tells whether everything has left.
            ///
            /// Cancel safe in that the message is either accepted or not; a future that is dropped drops its message, so
            /// keep a clone to try again. It copies frames of up to 1 KiB and shares longer ones;
            /// [`Message::share`](crate::Message::share) has those from 65 octets on shared, too.
            ///
            /// # Errors
            /// The socket's context was shut down. The message is in the error.
            #[inline]
            pub fn send(
                &self,
                message: impl Into<crate::Message>,
            ) -> impl Future<Output = Result<(), crate::SendError>> {
                crate::verbs::Sending::new(&self.handle, message, None)
            }

            /// As [`send`](Self::send), but waits no longer than `timeout`.
            ///
            /// # Errors
            /// As [`send`](Self::send), and when the time has passed. The message is in the error.
            pub fn send_timeout(
                &self,
                message: impl Into<crate::Message>,
                timeout: std::time::Duration,
            ) -> impl Future<Output = Result<(), crate::SendError>> {
                crate::verbs::Sending::new(&self.handle, message, Some(timeout))
            }

            /// Sends if there is room now. Never waits.
            ///
            /// # Errors
            /// As [`send`](Self::send), and when there is no room. The message is in the error.
            pub fn try_send(
                &self,
                message: impl Into<crate::Message>,
            ) -> Result<(), crate::SendError> {
                self.handle.try_send(message.into())
            }

            /// This socket as a [`Sink`](futures_sink::Sink) for messages.
            #[must_use]
            pub fn outgoing(&self) -> crate::Outgoing<'_, crate::Message> {
                crate::Outgoing::new(&self.handle, std::convert::identity)
            }
        }
    };
}

/// `send` for patterns that drop what has no room.
macro_rules! publishes {
    ($name:ident, $how:literal) => {
        impl $name {
            #[doc = $how]
            ///
            /// Never waits, so there is nothing to await: a peer whose queue is full misses the message, which is counted
            /// (see [`counters`](Self::counters)). It is the same in [`blocking`](crate::blocking).
            ///
            /// # Errors
            /// The socket's context was shut down. The message is in the error.
            pub fn send(&self, message: impl Into<crate::Message>) -> Result<(), crate::SendError> {
                self.handle.try_send(message.into())
            }
        }
    };
}

/// `recv` and its relatives.
macro_rules! receives {
    ($name:ident, $item:ty, $convert:path, $what:literal) => {
        impl $name {
            #[doc = concat!("Receives ", $what, ". Waits until there is one.")]
            ///
            /// Cancel safe: a message is taken only in the poll that returns it. A task that receives without a pause
            /// lets other tasks run now and then, even if there is always a message.
            ///
            /// # Errors
            /// The socket's context was shut down.
            #[inline]
            pub fn recv(&self) -> impl Future<Output = Result<$item, crate::RecvError>> {
                crate::verbs::Receiving::new(&self.handle, None, $convert)
            }

            /// As [`recv`](Self::recv), but waits no longer than `timeout`.
            ///
            /// # Errors
            /// As [`recv`](Self::recv), and when the time has passed.
            pub fn recv_timeout(
                &self,
                timeout: std::time::Duration,
            ) -> impl Future<Output = Result<$item, crate::RecvError>> {
                crate::verbs::Receiving::new(&self.handle, Some(timeout), $convert)
            }

            #[doc = concat!("Receives ", $what, ", if there is one now. Never waits.")]
            ///
            /// # Errors
            /// As [`recv`](Self::recv), and when there is none.
            #[inline]
            pub fn try_recv(&self) -> Result<$item, crate::RecvError> {
                let mut message = crate::Message::empty();
                if self.handle.take_ready(&mut message) {
                    return Ok($convert(message));
                }
                Ok($convert(self.handle.try_recv()?))
            }

            /// What this socket receives, as a [`Stream`](futures_core::Stream).
            #[must_use]
            pub fn incoming(&self) -> crate::Incoming<'_, $item> {
                crate::Incoming::new(&self.handle, $convert)
            }
        }
    };
}

/// `send_many`, for patterns that wait for room.
macro_rules! sends_many {
    ($name:ident) => {
        impl $name {
            /// Sends the messages of a list, in their order, each as [`send`](Self::send) does: faster where they are small, as the socket is
            /// locked once for many of them. Waits while there is no room.
            ///
            /// The list is empty afterwards. What is not accepted stays in it: on an error, and when the future is dropped. So it is
            /// cancel safe, and can be called again with the same list. Meant for lists of up to some thousands: what stays in a list
            /// is moved to its front.
            ///
            /// # Errors
            /// As [`send`](Self::send). What was refused, and what is behind it, is in the list.
            ///
            /// ```
            /// # zmq::block_on(async {
            /// # let context = zmq::Context::new();
            /// # let (push, pull) = (zmq::Push::new(&context), zmq::Pull::new(&context));
            /// # push.connect(pull.bind("tcp://127.0.0.1:0").await?)?;
            /// let mut list: Vec<zmq::Message> = (0..100).map(|n| n.to_string().into()).collect();
            /// push.send_many(&mut list).await?;
            ///
            /// while list.len() < 100 {
            ///     pull.recv_many(&mut list, 64).await?;
            /// }
            /// assert_eq!(list[99], zmq::Message::from("99"));
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// # }).unwrap();
            /// ```
            pub async fn send_many(
                &self,
                messages: &mut Vec<crate::Message>,
            ) -> Result<(), crate::SendFailure> {
                crate::many::send(&self.handle, messages).await
            }
        }
    };
}

/// `recv_many`, for patterns that hand messages on as they come.
macro_rules! receives_many {
    ($name:ident) => {
        impl $name {
            /// Receives several messages: waits until there is one, and puts it and what is there behind it at the end of `into`, at most `most`
            /// messages. Says how many; some may be left. Faster than [`recv`](Self::recv) where they are small, as the socket is locked
            /// once for many of them.
            ///
            /// Cancel safe: messages are taken only in the poll that returns. With `most` 0 nothing is waited for. A task that receives without
            /// a pause lets other tasks run now and then.
            ///
            /// # Errors
            /// As [`recv`](Self::recv).
            pub async fn recv_many(
                &self,
                into: &mut Vec<crate::Message>,
                most: usize,
            ) -> Result<usize, crate::RecvError> {
                crate::many::recv(&self.handle, into, most).await
            }

            /// As [`recv_many`](Self::recv_many), of what is there. Never waits.
            ///
            /// # Errors
            /// As [`try_recv`](Self::try_recv).
            pub fn try_recv_many(
                &self,
                into: &mut Vec<crate::Message>,
                most: usize,
            ) -> Result<usize, crate::RecvError> {
                crate::many::try_recv(&self.handle, into, most)
            }
        }
    };
}

pub(crate) use {publishes, receives, receives_many, sends, sends_many, socket};
