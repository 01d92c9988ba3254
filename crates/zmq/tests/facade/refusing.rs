//! What both ends hear when a peer is not let in.

use std::time::Duration;

use zmq::monitor::CloseReason;
use zmq::{Auth, Authenticator, Context, Pull, Push, ReadyFailure, Rep, Security, curve};

use crate::runtimes::{on_a_bare_loop, on_every_executor};
use crate::securing::{LONG, Server, failure, refusal};

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
