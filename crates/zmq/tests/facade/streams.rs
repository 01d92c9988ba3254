//! Sockets as streams and sinks.

use std::future::poll_fn;
use std::pin::Pin;

use futures_lite::{StreamExt, future};
use futures_sink::Sink;
use zmq::{Context, Dealer, Message, Pull, Push, Router, RoutingId, SendFailure};

use crate::runtimes::{Outcome, on_every_executor};

async fn feed<T, S: Sink<T, Error = zmq::SendError> + Unpin>(
    sink: &mut S,
    item: T,
) -> Result<(), zmq::SendError> {
    poll_fn(|cx| Pin::new(&mut *sink).poll_ready(cx)).await?;
    Pin::new(&mut *sink).start_send(item)
}

async fn flush<T, S: Sink<T, Error = zmq::SendError> + Unpin>(
    sink: &mut S,
) -> Result<(), zmq::SendError> {
    poll_fn(|cx| Pin::new(&mut *sink).poll_flush(cx)).await
}

#[test]
fn a_sink_feeds_a_stream_through_full_queues() {
    on_every_executor(|| async {
        let context = Context::new();
        let push = Push::options().send_hwm(3).open(&context);
        let pull = Pull::options().recv_hwm(3).open(&context);
        let endpoint = pull.bind("tcp://127.0.0.1:0").await?;
        push.connect(&endpoint)?;
        let sending = async {
            let mut sink = push.outgoing();
            for number in 0..3_000_u32 {
                feed(&mut sink, Message::from(number.to_be_bytes())).await?;
            }
            flush(&mut sink).await?;
            Outcome::Ok(())
        };
        let receiving = async {
            let mut stream = pull.incoming();
            for number in 0..3_000_u32 {
                let message = stream.next().await.ok_or("the stream has ended")??;
                assert_eq!(message, Message::from(number.to_be_bytes()));
            }
            Outcome::Ok(())
        };
        let (sent, received) = future::zip(sending, receiving).await;
        sent.and(received)
    });
}

#[test]
fn a_stream_ends_with_the_context() {
    on_every_executor(|| async {
        let context = Context::new();
        let pull = Pull::new(&context);
        let mut stream = pull.incoming();
        let ending = async {
            future::yield_now().await;
            context.shutdown();
        };
        let (next, ()) = future::zip(stream.next(), ending).await;
        assert!(next.is_none());
        assert!(stream.next().await.is_none());
        Ok(())
    });
}

#[test]
fn a_router_is_a_stream_and_a_sink_of_peers_and_messages() {
    on_every_executor(|| async {
        let context = Context::new();
        let (router, dealer) = (Router::new(&context), Dealer::new(&context));
        let endpoint = router.bind("tcp://127.0.0.1:0").await?;
        dealer.connect(&endpoint)?;
        dealer.send("question").await?;
        let (peer, message) = router.incoming().next().await.ok_or("ended")??;
        assert_eq!(message, Message::from("question"));

        let mut sink = router.outgoing();
        feed(&mut sink, (RoutingId::from("nobody"), Message::from("?"))).await?;
        let error = flush(&mut sink).await.expect_err("nobody is there");
        assert!(matches!(error.reason(), SendFailure::Unroutable));
        feed(&mut sink, (peer, Message::from("answer"))).await?;
        flush(&mut sink).await?;
        assert_eq!(dealer.recv().await?, Message::from("answer"));
        Ok(())
    });
}
