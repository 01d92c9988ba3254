//! The methods that all blocking sockets, or all that send or receive, have in common: the mirror of
//! `crate::socket`, name for name.

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
            /// A socket can be bound to several endpoints. Blocks only to look up a name, never for a peer.
            ///
            /// # Errors
            /// The endpoint cannot be read, is in use, or is refused by the system.
            pub fn bind(
                &self,
                endpoint: impl AsRef<str>,
            ) -> Result<crate::Endpoint, crate::BindError> {
                self.handle.bind_blocking(endpoint.as_ref())
            }

            /// Looks for a peer at `endpoint`, now and whenever it was lost. A socket can be connected to several
            /// endpoints.
            ///
            /// Never blocks: nobody needs to be there yet. Use `ready` to wait for peers, and the
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

            /// Blocks until at least `peers` peers are there: connected, and through with the handshake.
            ///
            /// # Errors
            /// The socket's context was shut down meanwhile; or nobody will come any more, as what the socket was connected
            /// to refused it for good. The error then tells why.
            pub fn ready(&self, peers: usize) -> Result<(), crate::ReadyError> {
                crate::ready::peers_blocking(&self.handle, peers, None)
            }

            /// As [`ready`](Self::ready), but no longer than `timeout`.
            ///
            /// # Errors
            /// As [`ready`](Self::ready), and when the time has passed; the error then tells how the last handshake that
            /// failed meanwhile did so.
            pub fn ready_timeout(
                &self,
                peers: usize,
                timeout: std::time::Duration,
            ) -> Result<(), crate::ReadyError> {
                crate::ready::peers_blocking(&self.handle, peers, Some(timeout))
            }

            /// What happens to the connections of this socket from now on.
            ///
            /// # Errors
            /// The system gave no descriptor.
            pub fn monitor(&self) -> Result<crate::blocking::Monitor, crate::MonitorError> {
                crate::blocking::Monitor::of(&self.handle)
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

            /// Closes the socket and blocks until what it accepted was sent, at most for its linger time. The report says
            /// what was not sent. Dropping a socket instead never blocks: its context then sends what is left.
            pub fn close(self) -> crate::CloseReport {
                self.handle.close_blocking()
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

        impl From<crate::$name> for $name {
            /// The same socket for callers that block.
            fn from(socket: crate::$name) -> $name {
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

macro_rules! sends {
    ($name:ident, $how:literal) => {
        impl $name {
            #[doc = $how]
            ///
            /// Blocks while there is no room: see [`Options::send_hwm`](crate::Options::send_hwm). Accepted means queued:
            /// [`close`](Self::close) tells whether everything has left.
            ///
            /// # Errors
            /// The socket's context was shut down. The message is in the error.
            // What the caller makes a message of is made where the message stands: as an argument it would be moved once more.
            #[inline(always)]
            pub fn send(&self, message: impl Into<crate::Message>) -> Result<(), crate::SendError> {
                let mut message = message.into();
                if self.handle.offer_ready(&mut message) {
                    return Ok(());
                }
                self.handle.send_blocking(message, None)
            }

            /// As [`send`](Self::send), but blocks no longer than `timeout`.
            ///
            /// # Errors
            /// As [`send`](Self::send), and when the time has passed. The message is in the error.
            pub fn send_timeout(
                &self,
                message: impl Into<crate::Message>,
                timeout: std::time::Duration,
            ) -> Result<(), crate::SendError> {
                self.handle.send_blocking(message.into(), Some(timeout))
            }

            /// Sends if there is room now. Never blocks.
            ///
            /// # Errors
            /// As [`send`](Self::send), and when there is no room. The message is in the error.
            pub fn try_send(
                &self,
                message: impl Into<crate::Message>,
            ) -> Result<(), crate::SendError> {
                self.handle.try_send(message.into())
            }
        }
    };
}

macro_rules! receives {
    ($name:ident, $item:ty, $convert:path, $what:literal) => {
        impl $name {
            #[doc = concat!("Receives ", $what, ". Blocks until there is one; signals do not end the wait.")]
            ///
            /// # Errors
            /// The socket's context was shut down.
            #[inline]
            pub fn recv(&self) -> Result<$item, crate::RecvError> {
                let mut message = crate::Message::empty();
                if self.handle.take_ready(&mut message) {
                    return Ok($convert(message));
                }
                Ok($convert(self.handle.recv_blocking(None)?))
            }

            /// As [`recv`](Self::recv), but blocks no longer than `timeout`.
            ///
            /// # Errors
            /// As [`recv`](Self::recv), and when the time has passed.
            pub fn recv_timeout(
                &self,
                timeout: std::time::Duration,
            ) -> Result<$item, crate::RecvError> {
                Ok($convert(self.handle.recv_blocking(Some(timeout))?))
            }

            #[doc = concat!("Receives ", $what, ", if there is one now. Never blocks.")]
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

            /// What this socket receives, as an iterator that blocks. It ends when the socket's context is shut down.
            #[must_use]
            pub fn incoming(&self) -> crate::blocking::Incoming<'_, $item> {
                crate::blocking::Incoming::new(&self.handle, $convert)
            }
        }
    };
}

macro_rules! sends_many {
    ($name:ident) => {
        impl $name {
            /// Sends the messages of a list, in their order, each as [`send`](Self::send) does: faster where they are small, as the socket is
            /// locked once for many of them. Blocks while there is no room. The list is empty afterwards, unless there was an error. Meant
            /// for lists of up to some thousands.
            ///
            /// # Errors
            /// As [`send`](Self::send). What was refused, and what is behind it, is in the list.
            pub fn send_many(
                &self,
                messages: &mut Vec<crate::Message>,
            ) -> Result<(), crate::SendFailure> {
                crate::many::send_blocking(&self.handle, messages)
            }
        }
    };
}

macro_rules! receives_many {
    ($name:ident) => {
        impl $name {
            /// Receives several messages: blocks until there is one, and puts it and what is there behind it at the end of `into`, at most `most`
            /// messages. Says how many; some may be left. Faster than [`recv`](Self::recv) where they are small, as the socket is locked
            /// once for many of them. With `most` 0 nothing is waited for.
            ///
            /// # Errors
            /// As [`recv`](Self::recv).
            pub fn recv_many(
                &self,
                into: &mut Vec<crate::Message>,
                most: usize,
            ) -> Result<usize, crate::RecvError> {
                crate::many::recv_blocking(&self.handle, into, most)
            }

            /// As [`recv_many`](Self::recv_many), of what is there. Never blocks.
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

pub(crate) use {receives, receives_many, sends, sends_many, socket};
