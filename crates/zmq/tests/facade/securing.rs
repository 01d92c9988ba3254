//! PLAIN and CURVE in one line each, and what both ends hear when it does not work.

use std::time::Duration;

use zmq::monitor::{CloseReason, Happening};
use zmq::{
    Auth, Authenticator, Context, EndpointFault, Monitor, Pair, Pull, Push, ReadyFailure, Rep,
    Router, Security, blocking, curve,
};

use crate::runtimes::{Outcome, ipc_place, on_a_bare_loop, on_every_executor, within_patience};

/// Far longer than a handshake takes.
const LONG: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    pub(crate) pull: Pull,
    pub(crate) endpoint: zmq::Endpoint,
    monitor: Monitor,
}

impl Server {
    pub(crate) async fn new(context: &Context, security: Security) -> Result<Server, Error> {
        Server::at(context, security, "tcp://127.0.0.1:0").await
    }

    pub(crate) async fn at(
        context: &Context,
        security: Security,
        endpoint: &str,
    ) -> Result<Server, Error> {
        let pull = Pull::options().security(security).open(context);
        let monitor = pull.monitor()?;
        let endpoint = pull.bind(endpoint).await?;
        Ok(Server {
            pull,
            endpoint,
            monitor,
        })
    }

    /// Why it refused the next peer.
    pub(crate) async fn refusal(&mut self) -> Result<CloseReason, Error> {
        refusal(&mut self.monitor).await
    }

    /// Whether the client gets in, as it sees it itself.
    pub(crate) async fn lets_in(
        &self,
        context: &Context,
        security: Security,
    ) -> Result<bool, Error> {
        let push = Push::options().security(security).open(context);
        push.connect(&self.endpoint)?;
        match push.ready_timeout(1, LONG).await {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.reason(), ReadyFailure::GaveUp) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends `text` from a client, and gives what the server received.
    pub(crate) async fn hear(
        &self,
        context: &Context,
        security: Security,
    ) -> Result<zmq::Message, Error> {
        let push = Push::options().security(security).open(context);
        push.connect(&self.endpoint)?;
        push.send("hello").await?;
        let message = self.pull.recv_timeout(LONG).await?;
        assert_eq!(message, zmq::Message::from("hello"));
        Ok(message)
    }
}

pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

pub(crate) async fn refusal(monitor: &mut Monitor) -> Result<CloseReason, Error> {
    loop {
        let event = monitor.next_timeout(LONG).await.ok_or("an end in time")?;
        if let Happening::Closed {
            reason,
            was_ready: false,
            ..
        } = event.what
        {
            return Ok(reason);
        }
    }
}

/// The error of a client that waits, in words.
async fn failure(
    context: &Context,
    endpoint: &zmq::Endpoint,
    security: Security,
) -> Result<String, Error> {
    let push = Push::options()
        .security(security)
        .handshake_timeout(Duration::from_millis(500))
        .open(context);
    push.connect(endpoint)?;
    let error = push.ready_timeout(1, Duration::from_secs(1)).await;
    Ok(error.expect_err("nobody lets it in").to_string())
}

pub(crate) fn property(message: &zmq::Message, name: &str) -> String {
    let value = message.properties().and_then(|all| all.get(name));
    let value = value.map(|value| String::from_utf8_lossy(value).into_owned());
    value.unwrap_or_default()
}

#[test]
fn plain_is_one_line_at_each_end() {
    on_every_executor(|| async {
        let context = Context::new();
        for place in ["tcp://127.0.0.1:0".to_owned(), ipc_place()] {
            let ann = Authenticator::new().user("ann", "s3cret");
            let server = Server::at(&context, Security::plain_server(ann), &place).await?;
            let client = Security::plain_client("ann", "s3cret");
            let message = server.hear(&context, client).await?;
            assert_eq!(property(&message, "User-Id"), "ann");
            assert!(!property(&message, "Peer-Address").is_empty());
            assert_eq!(property(&message, "Socket-Type"), "PUSH");
        }
        Ok(())
    });
}

#[test]
fn curve_is_one_line_at_each_end() {
    on_every_executor(|| async {
        let context = Context::new();
        let (keys, ours) = (curve::generate()?, curve::generate()?);
        let (server_key, our_key) = (keys.public(), ours.public());
        let auth = Authenticator::new().key(our_key);
        let server = Server::new(&context, Security::curve_server(keys, auth)).await?;
        let client = Security::curve_client(server_key, ours);
        let message = server.hear(&context, client).await?;
        assert_eq!(property(&message, "User-Id"), our_key.to_z85());
        assert_eq!(property(&message, "Peer-Address"), "127.0.0.1");
        Ok(())
    });
}

#[test]
fn threads_are_secured_in_the_same_words() {
    within_patience("threads", || {
        let context = Context::new();
        let keys = curve::generate()?;
        let server_key = keys.public();
        let curve = [
            Security::curve_server(keys, Auth::any_key()),
            Security::curve_client_anonymous(server_key),
        ];
        let plain = [
            Security::plain_server(Authenticator::new().user("ann", "s3cret")),
            Security::plain_client("ann", "s3cret"),
        ];
        for [server, client] in [curve, plain] {
            let rep = blocking::Rep::options().security(server).open(&context);
            let endpoint = rep.bind("tcp://127.0.0.1:0")?;
            let req = blocking::Req::options().security(client).open(&context);
            req.connect(&endpoint)?;
            std::thread::scope(|scope| {
                let answer = scope.spawn(|| req.request_timeout("2 + 2", LONG));
                let (question, responder) = rep.recv_timeout(LONG)?.into_parts();
                assert!(!property(&question, "User-Id").is_empty());
                responder.reply("4")?;
                let answer = answer.join().expect("no panic")?;
                assert_eq!(answer, zmq::Message::from("4"));
                Ok::<_, Error>(())
            })?;
        }
        Ok(())
    });
}

#[test]
fn nobody_is_let_in_unless_somebody_said_so() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let keys = curve::generate()?;
        let server_key = keys.public();
        for (auth, why) in [
            (Auth::handler(), "no ZAP handler is bound"),
            (Authenticator::new().into(), "nobody knows the key"),
        ] {
            let security = Security::curve_server(keys.clone(), auth);
            let mut server = Server::new(&context, security).await?;
            let client = Security::curve_client_anonymous(server_key);
            let push = Push::options().security(client).open(&context);
            push.connect(&server.endpoint)?;
            let met = server.refusal().await?.to_string();
            assert!(met.contains(why), "{met}");
            assert_eq!(server.pull.counters().delivered, 0);
            assert_eq!(push.peers().iter().filter(|peer| peer.ready).count(), 0);
        }
        let mut server = Server::new(&context, Security::plain_server(Auth::handler())).await?;
        let push = Push::options()
            .security(Security::plain_client("ann", "s3cret"))
            .open(&context);
        push.connect(&server.endpoint)?;
        let met = server.refusal().await?.to_string();
        assert!(met.contains("no ZAP handler is bound"), "{met}");
        let mut server = Server::new(&context, Security::null(Auth::handler())).await?;
        let push = Push::new(&context);
        push.connect(&server.endpoint)?;
        let met = server.refusal().await?.to_string();
        assert!(met.contains("no ZAP handler is bound"), "{met}");
        Ok(())
    });
}

#[test]
fn a_wrong_password_is_told_to_both_ends_and_the_client_gives_up() {
    on_every_executor(|| async {
        let context = Context::new();
        let auth = Authenticator::new().user("ann", "s3cret");
        let mut server = Server::new(&context, Security::plain_server(auth)).await?;
        for (name, password) in [("ann", "secret"), ("ann", ""), ("bob", "s3cret")] {
            let push = Push::options()
                .security(Security::plain_client(name, password))
                .open(&context);
            push.connect(&server.endpoint)?;
            // Without a time limit: it ends because nobody will come.
            let error = push.ready(1).await.expect_err("a wrong password");
            assert!(matches!(error.reason(), ReadyFailure::GaveUp));
            let text = error.to_string();
            assert!(text.contains("the peer refused with status 400"), "{text}");
            assert!(text.contains("nobody is dialed any more"), "{text}");
            let met = server.refusal().await?;
            assert!(matches!(met, CloseReason::Denied { status: 400, .. }));
            let met = met.to_string();
            assert!(met.contains(&format!("no user \"{name}\"")), "{met}");
            assert!(!met.contains(password) || password.is_empty(), "{met}");
        }
        Ok(())
    });
}

#[test]
fn a_key_that_nobody_knows_is_told_to_both_ends() {
    on_every_executor(|| async {
        let context = Context::new();
        let (keys, known, other) = (curve::generate()?, curve::generate()?, curve::generate()?);
        let server_key = keys.public();
        let auth = Authenticator::new().key(known.public());
        let mut server = Server::new(&context, Security::curve_server(keys, auth)).await?;
        let other_key = other.public().to_z85();
        let client = Security::curve_client(server_key, other);
        let text = failure(&context, &server.endpoint, client).await?;
        assert!(text.contains("the peer refused with status 400"), "{text}");
        let met = server.refusal().await?.to_string();
        assert!(met.contains(&other_key), "{met}");
        let client = Security::curve_client(server_key, known);
        server.hear(&context, client).await?;
        Ok(())
    });
}

#[test]
fn a_wrong_server_key_is_told_to_both_ends() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let (keys, wrong) = (curve::generate()?, curve::generate()?.public());
        let security = Security::curve_server(keys, Auth::any_key());
        let mut server = Server::new(&context, security).await?;
        let client = Security::curve_client_anonymous(wrong);
        let text = failure(&context, &server.endpoint, client).await?;
        assert!(text.contains("not the server key we were given"), "{text}");
        let met = server.refusal().await?;
        assert_eq!(met, CloseReason::OtherServerKey);
        Ok(())
    });
}

#[test]
fn different_mechanisms_are_named_at_both_ends() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let keys = curve::generate()?;
        let auth = Authenticator::new().user("ann", "s3cret");
        let servers = [
            ("PLAIN", Security::plain_server(auth)),
            (
                "CURVE",
                Security::curve_server(keys.clone(), Auth::any_key()),
            ),
            ("NULL", Security::none()),
        ];
        for (speaks, security) in servers {
            let mut server = Server::new(&context, security).await?;
            let clients = [
                ("PLAIN", Security::plain_client("ann", "s3cret")),
                ("CURVE", Security::curve_client_anonymous(keys.public())),
                ("NULL", Security::none()),
            ];
            for (other, security) in clients.into_iter().filter(|(other, _)| *other != speaks) {
                let ours = failure(&context, &server.endpoint, security).await?;
                let expected = format!("uses the mechanism {speaks}, this socket {other}");
                assert!(ours.contains(&expected), "{ours}");
                let met = server.refusal().await?.to_string();
                let expected = format!("uses the mechanism {other}, this socket {speaks}");
                assert!(met.contains(&expected), "{met}");
            }
        }
        Ok(())
    });
}

#[test]
fn two_clients_and_two_servers_hear_that_they_are_on_the_same_side() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let key = curve::generate()?.public();
        for security in [
            Security::plain_client("ann", "s3cret"),
            Security::curve_client_anonymous(key),
        ] {
            let mut server = Server::new(&context, security.clone()).await?;
            let text = failure(&context, &server.endpoint, security).await?;
            let met = server.refusal().await?.to_string();
            assert!(
                [&text, &met]
                    .iter()
                    .any(|words| words.contains("is a client of the mechanism as well")),
                "{text}; {met}"
            );
        }
        for security in [
            Security::plain_server(Authenticator::new().user("ann", "s3cret")),
            Security::curve_server(curve::generate()?, Auth::any_key()),
        ] {
            let server = Server::new(&context, security.clone()).await?;
            let text = failure(&context, &server.endpoint, security).await?;
            assert!(text.contains("so it may be a server as well"), "{text}");
        }
        Ok(())
    });
}

#[test]
fn a_client_whose_server_does_not_answer_hears_how_far_it_came() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        // A handler that never answers.
        let silent = Rep::new(&context);
        silent.bind("inproc://zeromq.zap.01").await?;
        let keys = curve::generate()?;
        let server_key = keys.public();
        let security = Security::curve_server(keys, Auth::handler());
        let pull = Pull::options()
            .security(security)
            .handshake_timeout(Duration::from_millis(200))
            .open(&context);
        let mut monitor = pull.monitor()?;
        let endpoint = pull.bind("tcp://127.0.0.1:0").await?;
        let client = Security::curve_client_anonymous(server_key);
        let text = failure(&context, &endpoint, client).await?;
        assert!(
            text.contains("most likely it does not accept that key, or may later"),
            "{text}"
        );
        let met = refusal(&mut monitor).await?.to_string();
        assert!(
            met.contains("whoever was asked about the peer did not answer"),
            "{met}"
        );
        Ok(())
    });
}

#[test]
fn servers_take_old_and_new_keys_while_clients_move() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let (old, new) = (curve::generate()?, curve::generate()?);
        let clients = [old.public(), new.public()].map(Security::curve_client_anonymous);
        let both = curve::ServerKeys::new(new.clone()).and(old);
        let server = Server::new(&context, Security::curve_server(both, Auth::any_key())).await?;
        for client in clients.clone() {
            server.hear(&context, client).await?;
        }
        let server = Server::new(&context, Security::curve_server(new, Auth::any_key())).await?;
        let [old, new] = clients;
        server.hear(&context, new).await?;
        let text = failure(&context, &server.endpoint, old).await?;
        assert!(text.contains("not the server key"), "{text}");
        Ok(())
    });
}

/// A peer of ZMTP 2.0, as libzmq 3 was: a signature, a revision, and no mechanism.
fn legacy_peer(endpoint: &zmq::Endpoint) -> std::io::Result<Vec<u8>> {
    use std::io::{Read as _, Write as _};
    let address = endpoint.as_str().trim_start_matches("tcp://");
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LONG))?;
    stream.write_all(b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x08\0\0\0\x05hello")?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => Err(error),
        _ => Ok(answer),
    }
}

#[test]
fn peers_too_old_for_mechanisms_are_refused_by_secured_sockets_alone() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let anybody = Authenticator::decide(|_| true);
        for security in [
            Security::curve_server(curve::generate()?, Auth::any_key()),
            Security::plain_server(Authenticator::new().user("ann", "s3cret")),
            Security::null(anybody),
        ] {
            let mut server = Server::new(&context, security).await?;
            legacy_peer(&server.endpoint)?;
            let met = server.refusal().await?.to_string();
            assert!(
                met.contains("ZMTP 2.0, which this socket does not accept"),
                "{met}"
            );
            assert_eq!(server.pull.counters().delivered, 0);
        }
        Ok(())
    });
}

async fn answer_with(router: Router, accept: &'static str) -> Outcome {
    // A ROUTER sees the envelope: who asks, a delimiter, and then what RFC 27 says.
    loop {
        let (from, message) = router.recv().await?;
        let frames: Vec<zmq::Frame> = message.into_iter().collect();
        let status = if frames[8].as_ref() == accept.as_bytes() {
            "200"
        } else {
            "400"
        };
        let reply: zmq::Message = [
            zmq::Frame::from(""),
            "1.0".into(),
            frames[2].clone(),
            status.into(),
            "why not".into(),
            frames[7].clone(),
            "".into(),
        ]
        .into_iter()
        .collect();
        router.send_to(&from, reply).await?;
    }
}

#[test]
fn a_router_can_be_the_handler() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let router = Router::new(&context);
        router.bind("inproc://zeromq.zap.01").await?;
        let handling = smol::spawn(answer_with(router, "s3cret"));
        let security = Security::plain_server(Auth::handler());
        let mut server = Server::new(&context, security).await?;
        let message = server
            .hear(&context, Security::plain_client("ann", "s3cret"))
            .await?;
        assert_eq!(property(&message, "User-Id"), "ann");
        let text = failure(
            &context,
            &server.endpoint,
            Security::plain_client("ann", "no"),
        )
        .await?;
        assert!(text.contains("status 400"), "{text}");
        let met = server.refusal().await?.to_string();
        assert!(met.contains("why not"), "{met}");
        drop(handling);
        Ok(())
    });
}

#[test]
fn a_rep_can_be_the_handler_and_is_told_the_domain() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        for (security, domain) in [
            (Security::null(Auth::handler()), "global"),
            (Security::null(Auth::handler()).zap_domain(""), "global"),
            (Security::null(Auth::handler()).zap_domain("test"), "test"),
            (Security::none().zap_domain("test"), "test"),
        ] {
            let rep = Rep::new(&context);
            rep.bind("inproc://zeromq.zap.01").await?;
            let handling = smol::spawn(async move {
                let (request, responder) = rep.recv().await?.into_parts();
                let frames: Vec<zmq::Frame> = request.into_iter().collect();
                let reply = ["1.0".into(), frames[1].clone(), "200".into()];
                // A name, and a property: an octet and `Hello`, four octets and `World`.
                let rest = ["", "joe", "\x05Hello\0\0\0\x05World"].map(zmq::Frame::from);
                let reply: zmq::Message = reply.into_iter().chain(rest).collect();
                responder.reply(reply)?;
                rep.close().await;
                Ok::<_, Error>(frames[2].clone())
            });
            let server = Server::new(&context, security).await?;
            let message = server.hear(&context, Security::none()).await?;
            assert_eq!(property(&message, "User-Id"), "joe");
            assert_eq!(property(&message, "Hello"), "World");
            assert_eq!(handling.await?.as_ref(), domain.as_bytes());
        }
        Ok(())
    });
}

#[test]
fn what_cannot_be_used_is_reported_by_the_socket() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let long = "x".repeat(256);
        for (security, expected) in [
            (Security::plain_client(&long, ""), "255 octets each"),
            (Security::plain_client("", &long), "255 octets each"),
            (
                Security::null(Auth::handler()).zap_domain(long.clone()),
                "a ZAP domain of",
            ),
        ] {
            let options = Pair::options().security(security);
            let error = options.clone().try_open(&context).expect_err("too long");
            assert!(error.to_string().contains(expected), "{error}");
            let pair = options.open(&context);
            let error = pair.bind("inproc://x").await.expect_err("not open");
            assert_eq!(error.fault(), EndpointFault::NotOpen);
        }
        Ok(())
    });
}

#[test]
fn secrets_are_in_no_debug_output() {
    let keys = curve::generate().expect("entropy");
    let secret = keys.secret().to_z85();
    let auth = Authenticator::new().user("ann", "s3cret");
    for security in [
        Security::plain_client("ann", "s3cret"),
        Security::plain_server(auth),
        Security::curve_client(keys.public(), keys.clone()),
        Security::curve_server(keys.clone(), Auth::any_key()),
    ] {
        let options = Pull::options().security(security.clone());
        let printed = format!("{security:?} {options:?}");
        assert!(!printed.contains("s3cret"), "{printed}");
        assert!(!printed.contains(secret.as_str()), "{printed}");
    }
}
