//! Requests that are given up, and requests that are not answered.

use std::sync::Arc;
use std::time::Duration;

use futures_lite::future::{self, FutureExt};
use zmq::{Context, Message, Rep, Req, RequestError};

use crate::runtimes::{Outcome, on_a_bare_loop, on_every_executor, poll_at_most};

/// Answers every request with itself, for ever.
async fn echo(rep: &Rep) -> Outcome {
    loop {
        let (message, responder) = rep.recv().await?.into_parts();
        responder.reply(message)?;
    }
}

#[test]
fn a_request_dropped_at_any_point_does_not_hinder_the_next() {
    on_every_executor(|| async {
        let context = Context::new();
        let (req, rep) = (Req::new(&context), Rep::new(&context));
        let endpoint = rep.bind("tcp://127.0.0.1:0").await?;
        req.connect(&endpoint)?;
        let client = async {
            for number in 0..200_u32 {
                poll_at_most(req.request("given up"), number % 5).await;
                let reply = req.request(number.to_be_bytes()).await?;
                assert_eq!(reply, Message::from(number.to_be_bytes()));
            }
            Ok(())
        };
        client.or(echo(&rep)).await
    });
}

#[test]
fn requests_of_many_tasks_take_turns() {
    on_every_executor(|| async {
        let context = Context::new();
        let (req, rep) = (Req::new(&context), Rep::new(&context));
        let endpoint = rep.bind("tcp://127.0.0.1:0").await?;
        req.connect(&endpoint)?;
        let req = &req;
        let ask = |text: &'static str| async move {
            for _ in 0..50 {
                assert_eq!(req.request(text).await?, Message::from(text));
            }
            Ok::<(), RequestError>(())
        };
        let clients = async {
            future::try_zip(ask("a"), future::try_zip(ask("b"), ask("c"))).await?;
            Ok(())
        };
        clients.or(echo(&rep)).await
    });
}

#[test]
fn a_request_dropped_unanswered_does_not_wedge_the_socket() {
    on_every_executor(|| async {
        let context = Context::new();
        let rep = Rep::new(&context);
        let endpoint = rep.bind("tcp://127.0.0.1:0").await?;
        let (first, second) = (Req::new(&context), Req::new(&context));
        first.connect(&endpoint)?;
        second.connect(&endpoint)?;
        let unlucky = first.request("to be ignored");
        let ignoring = async { rep.recv().await.map(drop) };
        let asking = poll_at_most(unlucky, 1);
        let (ignored, asked) = future::zip(ignoring, asking).await;
        ignored?;
        assert!(asked.is_none(), "nobody has answered");
        // Only now, as nothing else says which of two connections is the quicker one.
        let server = async {
            let request = rep.recv().await?;
            assert_eq!(*request.message(), Message::from("to be answered"));
            request.reply("answer")?;
            Outcome::Ok(())
        };
        let lucky = async {
            assert_eq!(
                second.request("to be answered").await?,
                Message::from("answer")
            );
            Outcome::Ok(())
        };
        let (served, asked) = future::zip(server, lucky).await;
        served.and(asked)
    });
}

#[test]
fn a_second_receiver_waits_until_the_request_is_answered() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let rep = Arc::new(Rep::new(&context));
        let endpoint = rep.bind("tcp://127.0.0.1:0").await?;
        let reqs = [Req::new(&context), Req::new(&context)];
        for req in &reqs {
            req.connect(&endpoint)?;
        }
        let asking = future::try_zip(reqs[0].request("?"), reqs[1].request("?"));
        let serving = async {
            let request = rep.recv().await.map_err(RequestError::NoReply)?;
            assert!(rep.try_recv().is_err_and(|error| error.is_would_block()));
            assert!(poll_at_most(rep.recv(), 1).await.is_none());
            request.reply("!").map_err(RequestError::NotSent)?;
            let request = rep.recv().await.map_err(RequestError::NoReply)?;
            request.reply("!").map_err(RequestError::NotSent)
        };
        future::try_zip(asking, serving).await?;
        Ok(())
    });
}

#[test]
fn a_request_that_takes_too_long_says_how_far_it_came() {
    on_every_executor(|| async {
        let context = Context::new();
        let (req, rep) = (Req::new(&context), Rep::new(&context));
        let short = Duration::from_millis(1);
        let error = req.request_timeout("nobody there", short).await;
        let Err(RequestError::NotSent(error)) = error else {
            panic!("{error:?}");
        };
        assert_eq!(error.into_message(), Message::from("nobody there"));

        let endpoint = rep.bind("tcp://127.0.0.1:0").await?;
        req.connect(&endpoint)?;
        let error = req.request_timeout("nobody works", short).await;
        assert!(matches!(error, Err(RequestError::NoReply(_))), "{error:?}");
        Ok(())
    });
}
