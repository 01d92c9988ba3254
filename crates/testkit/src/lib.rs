//! A world in one thread: sockets over in-memory links on a virtual clock, and peers that follow a script.
//!
//! Everything that happens comes from one seed, so that a failure seen once can be seen again. It is not a mock of the
//! engine: contexts, sockets, sessions and patterns are the real ones, only the network and the time are made up.
//!
//! ```
//! use zmq_engine::{SocketOptions, SocketType};
//! use zmq_testkit::{Weather, World};
//!
//! let mut world = World::new(7);
//! world.net.set_weather(Weather::rough());
//! let pull = world.open(SocketType::Pull, "pull", SocketOptions::default());
//! let push = world.open(SocketType::Push, "push", SocketOptions::default());
//! world.bind(pull, "sim://hall");
//! world.connect(push, "sim://hall");
//! world.send(push, "hello".into()).expect("a dialed peer has a queue at once");
//! assert_eq!(world.recv_soon(pull).first(), b"hello");
//! ```
//!
//! | Module | Holds |
//! |---|---|
//! | [`net`] | the in-memory network: a transport of byte streams (`sim`) and of framed messages (`simf`) |
//! | [`world`] | contexts, sockets, the clock and the log of what happened |
//! | [`books`] | what was accepted against what became of it |
//! | [`scenario`] | a random day of every pattern |
//! | [`script`] | peers that say and expect octets, in memory and over tcp |
//! | [`speaker`] | listeners over tcp that are no sockets, or shake hands and do nothing else |
//! | [`octets`] | greetings, frames and commands as octets, right ones and wrong ones |
//! | [`process`] | what the operating system says about a process |
#![forbid(unsafe_code)]

pub mod books;
pub mod dice;
pub mod net;
pub mod octets;
pub mod process;
pub mod scenario;
pub mod script;
pub mod speaker;
pub mod world;

pub use books::Books;
pub use dice::Dice;
pub use net::{Cut, InFlight, Net, Side, Weather};
pub use world::{SocketId, World};
