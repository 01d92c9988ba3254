//! What errors say.

use std::time::Duration;

use zmq::{Context, EndpointFault, Pull, Push, Rep, SendFailure, Sub};

use crate::runtimes::{on_a_bare_loop, on_every_executor};

#[test]
fn endpoint_errors_say_what_was_met() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let pull = Pull::new(&context);
        let error = pull.bind("nonsense").await.expect_err("not an endpoint");
        assert_eq!(error.fault(), EndpointFault::Malformed);
        assert!(error.to_string().contains("\"nonsense\""), "{error}");

        let endpoint = pull.bind("tcp://127.0.0.1:0").await?;
        let error = Pull::new(&context)
            .bind(&endpoint)
            .await
            .expect_err("in use");
        assert_eq!(error.fault(), EndpointFault::InUse, "{error}");
        assert!(error.to_string().contains(endpoint.as_str()), "{error}");

        pull.bind("inproc://taken").await?;
        let error = Rep::new(&context)
            .bind("inproc://taken")
            .await
            .expect_err("in use");
        assert_eq!(error.fault(), EndpointFault::InUse, "{error}");
        let error = Rep::new(&context)
            .connect("inproc://taken")
            .expect_err("wrong type");
        assert_eq!(error.fault(), EndpointFault::Incompatible, "{error}");

        let error = pull.unbind("tcp://127.0.0.1:1").expect_err("not bound");
        assert_eq!(error.fault(), EndpointFault::NotFound, "{error}");
        let error = pull.disconnect("tcp://127.0.0.1:1").expect_err("not there");
        assert_eq!(error.fault(), EndpointFault::NotFound, "{error}");
        pull.unbind(&endpoint)?;
        Ok(())
    });
}

#[test]
fn binding_by_name_works_on_every_executor() {
    on_every_executor(|| async {
        let context = Context::new();
        let pull = Pull::new(&context);
        let endpoint = pull.bind("tcp://localhost:0").await?;
        assert!(!endpoint.as_str().ends_with(":0"), "{endpoint}");
        Ok(())
    });
}

#[test]
fn a_socket_that_could_not_be_opened_says_so_in_every_call() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        context.shutdown();
        let error = Push::options()
            .try_open(&context)
            .expect_err("nothing opens any more");
        assert!(error.is_context_shut_down(), "{error}");
        let push = Push::new(&context);
        let error = push.send("kept").await.expect_err("not open");
        assert!(matches!(error.reason(), SendFailure::NotOpen(_)));
        assert_eq!(error.into_message(), zmq::Message::from("kept"));
        assert_eq!(
            push.bind("inproc://x").await.map_err(|error| error.fault()),
            Err(EndpointFault::NotOpen)
        );
        assert!(push.connect("inproc://x").is_err());
        assert!(push.monitor().is_err());
        assert!(push.ready(1).await.is_err());
        assert!(push.peers().is_empty());
        assert_eq!(push.close().await.unsent, 0);
        assert!(Sub::new(&context).subscribe("").is_err());
        Ok(())
    });
}

#[test]
fn a_wait_for_peers_that_cannot_come_says_why() {
    on_every_executor(|| async {
        let context = Context::new();
        let rep = Rep::new(&context);
        let endpoint = rep.bind("tcp://127.0.0.1:0").await?;
        let push = Push::new(&context);
        push.connect(&endpoint)?;
        let error = push
            .ready_timeout(1, Duration::from_millis(300))
            .await
            .expect_err("a REP is no peer of a PUSH");
        assert_eq!(error.found(), 0);
        let text = error.to_string();
        assert!(
            text.contains("connected peers: expected 1, found 0"),
            "{text}"
        );
        assert!(error.last_failure().is_some(), "{text}");
        Ok(())
    });
}

#[test]
fn no_time_at_all_is_enough_for_what_is_there() {
    on_every_executor(|| async {
        let context = Context::new();
        let (push, pull) = (Push::new(&context), Pull::new(&context));
        pull.bind("inproc://at-once").await?;
        push.connect("inproc://at-once")?;
        push.send_timeout("x", Duration::ZERO).await?;
        pull.recv_timeout(Duration::ZERO).await?;
        assert!(matches!(
            pull.recv_timeout(Duration::ZERO).await,
            Err(zmq::RecvError::TimedOut)
        ));
        assert!(matches!(
            pull.recv_timeout(Duration::from_millis(1)).await,
            Err(zmq::RecvError::TimedOut)
        ));
        Ok(())
    });
}
