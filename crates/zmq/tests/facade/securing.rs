//! PLAIN and CURVE in one line each, and who is let in then.

use std::time::Duration;

use zmq::monitor::{CloseReason, Happening};
use zmq::{
    Auth, Authenticator, Context, EndpointFault, Monitor, Pair, Pull, Push, ReadyFailure, Rep,
    Router, Security, blocking, curve,
};

use crate::runtimes::{Outcome, ipc_place, on_a_bare_loop, on_every_executor, within_patience};

/// Far longer than a handshake takes.
pub(crate) const LONG: Duration = Duration::from_secs(30);

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
pub(crate) async fn failure(
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
