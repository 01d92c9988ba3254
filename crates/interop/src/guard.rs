//! Sockets secured with PLAIN and CURVE, and the ZAP handlers that decide about their peers.

use crate::arena::{Arena, Outcome, Player, Sock, Transport, describe, fail};

/// What handlers and the sockets of these cells call their domain.
pub(crate) const DOMAIN: &str = "test";

/// A public and a secret key in Z85.
pub(crate) type Keys = (&'static str, &'static str);

/// Of the servers.
pub(crate) const SERVER: Keys = peer_script::SERVER_KEY;
/// Of the clients that are welcome.
pub(crate) const CLIENT: Keys = peer_script::CLIENT_KEY;
/// Of those that are not, and of servers that nobody expects.
pub(crate) const STRANGER: Keys = (
    "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
    "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
);

/// How a pair of sockets is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    Null,
    Plain,
    Curve,
}

impl Guard {
    pub(crate) const BOTH: [Guard; 2] = [Guard::Plain, Guard::Curve];

    /// A word for names of cells.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Guard::Null => "null",
            Guard::Plain => "plain",
            Guard::Curve => "curve",
        }
    }

    /// The name that a handler is told.
    fn mechanism(self) -> &'static str {
        match self {
            Guard::Null => "NULL",
            Guard::Plain => "PLAIN",
            Guard::Curve => "CURVE",
        }
    }

    /// Makes a socket the side that lets in.
    pub(crate) fn server(self, arena: &mut Arena, sock: &Sock) -> Outcome {
        match self {
            Guard::Null => Ok(()),
            Guard::Plain => arena.set(sock, "PLAIN_SERVER", 1),
            Guard::Curve => {
                arena.set(sock, "CURVE_SERVER", 1)?;
                arena.set(sock, "CURVE_SECRETKEY", SERVER.1)
            }
        }
    }

    /// Makes a socket the side that wants in, as somebody who is welcome.
    pub(crate) fn client(self, arena: &mut Arena, sock: &Sock) -> Outcome {
        self.client_as(arena, sock, ("admin", "secret"), CLIENT)
    }

    /// Makes a socket the side that wants in, as this user or as the owner of these keys.
    pub(crate) fn client_as(
        self,
        arena: &mut Arena,
        sock: &Sock,
        user: (&str, &str),
        keys: Keys,
    ) -> Outcome {
        match self {
            Guard::Null => Ok(()),
            Guard::Plain => {
                arena.set(sock, "PLAIN_USERNAME", user.0)?;
                arena.set(sock, "PLAIN_PASSWORD", user.1)
            }
            Guard::Curve => {
                arena.set(sock, "CURVE_SERVERKEY", SERVER.0)?;
                arena.set(sock, "CURVE_PUBLICKEY", keys.0)?;
                arena.set(sock, "CURVE_SECRETKEY", keys.1)
            }
        }
    }

    /// Secures both ends. PLAIN needs a handler, which is then to be asked once for each connection.
    pub(crate) fn secure(self, arena: &mut Arena, server: &Sock, client: &Sock) -> Outcome {
        self.server(arena, server)?;
        self.client(arena, client)
    }
}

/// A ZAP handler in a player's process: a socket that the cell reads and answers.
#[derive(Debug)]
pub(crate) struct Handler {
    sock: Sock,
}

/// One question of a handler.
#[derive(Debug)]
pub(crate) struct Question {
    /// What an answer begins with: the way back through a ROUTER, if it is one.
    way: Vec<Vec<u8>>,
    id: Vec<u8>,
    pub(crate) domain: Vec<u8>,
    pub(crate) address: Vec<u8>,
    pub(crate) identity: Vec<u8>,
    pub(crate) mechanism: Vec<u8>,
    pub(crate) credentials: Vec<Vec<u8>>,
}

const ENDPOINT: &str = "inproc://zeromq.zap.01";

impl Handler {
    /// Binds a REP.
    pub(crate) fn open(arena: &mut Arena, player: Player) -> Outcome<Handler> {
        Handler::open_as(arena, player, "REP")
    }

    /// Binds a socket of this type.
    pub(crate) fn open_as(arena: &mut Arena, player: Player, kind: &str) -> Outcome<Handler> {
        let sock = arena.open(player, kind)?;
        arena.bind(&sock, ENDPOINT)?;
        Ok(Handler { sock })
    }

    /// Frees the name for the next cell: closing a socket of libzmq does so only some time later.
    pub(crate) fn close(self, arena: &mut Arena) -> Outcome {
        arena.unbind(&self.sock, ENDPOINT)?;
        arena.close(&self.sock)
    }

    /// The next question, which must come.
    pub(crate) fn asked(&self, arena: &mut Arena) -> Outcome<Question> {
        let frames = arena.recv(&self.sock)?;
        let way = if self.sock.kind == "ROUTER" { 2 } else { 0 };
        match frames.get(way..) {
            Some(
                [
                    version,
                    id,
                    domain,
                    address,
                    identity,
                    mechanism,
                    credentials @ ..,
                ],
            ) if version == b"1.0" => Ok(Question {
                way: frames[..way].to_vec(),
                id: id.clone(),
                domain: domain.clone(),
                address: address.clone(),
                identity: identity.clone(),
                mechanism: mechanism.clone(),
                credentials: credentials.to_vec(),
            }),
            _ => fail(format!("no ZAP request: {}", describe(&frames))),
        }
    }

    /// Watches that no question comes.
    pub(crate) fn not_asked(&self, arena: &mut Arena, watch: std::time::Duration) -> Outcome {
        match arena.try_recv(&self.sock, watch)? {
            Err(code) if code == "EAGAIN" => Ok(()),
            other => fail(format!("the handler was asked: {other:?}")),
        }
    }

    /// Answers with these frames behind the way back.
    pub(crate) fn say(&self, arena: &mut Arena, question: &Question, frames: &[&[u8]]) -> Outcome {
        let frames = frames.iter().map(|frame| frame.to_vec());
        let all: Vec<Vec<u8>> = question.way.iter().cloned().chain(frames).collect();
        arena.send(&self.sock, &all)
    }

    /// Answers properly; whoever comes in is `joe`.
    pub(crate) fn answer(&self, arena: &mut Arena, question: &Question, status: &str) -> Outcome {
        if status == "200" {
            return self.accept(arena, question, b"joe");
        }
        self.finish(arena, question, (status, b"", b""))
    }

    /// Lets the peer in as this user, with a property `Shoe-Size`.
    pub(crate) fn accept(&self, arena: &mut Arena, question: &Question, user: &[u8]) -> Outcome {
        let metadata = b"\x09Shoe-Size\x00\x00\x00\x0244";
        self.finish(arena, question, ("200", user, metadata))
    }

    fn finish(
        &self,
        arena: &mut Arena,
        question: &Question,
        (status, user, metadata): (&str, &[u8], &[u8]),
    ) -> Outcome {
        let frames: [&[u8]; 6] = [
            b"1.0",
            &question.id,
            status.as_bytes(),
            b"because",
            user,
            metadata,
        ];
        self.say(arena, question, &frames)
    }

    /// Lets in the next peer asked about.
    pub(crate) fn let_in(&self, arena: &mut Arena) -> Outcome<Question> {
        let question = self.asked(arena)?;
        self.answer(arena, &question, "200")?;
        Ok(question)
    }
}

impl Question {
    /// The id a reply has to repeat.
    pub(crate) fn id(&self) -> &[u8] {
        &self.id
    }

    /// Checks what was asked about a welcome client behind `transport`, at a server that calls itself `identity`.
    pub(crate) fn check(&self, guard: Guard, transport: Transport, identity: &[u8]) -> Outcome {
        let address = match transport {
            Transport::Tcp => self.address == b"127.0.0.1",
            Transport::Ipc => self.address.starts_with(b"localhost:"),
        };
        let mechanism = self.mechanism == guard.mechanism().as_bytes();
        let credentials = match guard {
            Guard::Null => self.credentials.is_empty(),
            Guard::Plain => self.credentials == [b"admin".to_vec(), b"secret".to_vec()],
            Guard::Curve => self.credentials == [octets_of(CLIENT.0)],
        };
        let domain = self.domain == DOMAIN.as_bytes();
        if address && mechanism && credentials && domain && self.identity == identity {
            return Ok(());
        }
        fail(format!("the handler was asked {self:?}"))
    }
}

/// The 32 octets of a public key.
pub(crate) fn octets_of(key: &str) -> Vec<u8> {
    let key = key.parse::<zmq_engine::curve::PublicKey>();
    key.map(|key| key.as_octets().to_vec()).unwrap_or_default()
}
