//! Sockets as streams and sinks.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{self, Wake, Waker};
use std::thread::{self, ThreadId};

use futures_lite::{StreamExt, future};
use futures_sink::Sink;
use zmq::{Context, Dealer, Message, Pull, Push, Router, RoutingId, SendFailure};

use crate::runtimes::{Outcome, on_every_executor, poll_at_most};

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

/// Panics when it is called on the thread that made it.
pub(crate) struct Panics(pub(crate) ThreadId);

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        assert!(thread::current().id() != self.0, "as it is meant to");
    }
}

#[test]
fn what_was_accepted_is_not_sent_again_where_a_waker_panicked() -> Outcome {
    let waker = Waker::from(Arc::new(Panics(thread::current().id())));
    let mut panicking = task::Context::from_waker(&waker);
    let mut calm = task::Context::from_waker(Waker::noop());
    let context = Context::new();
    let mut panics = 0;
    for number in 0..8 {
        let (push, pull) = (Push::new(&context), Pull::new(&context));
        let endpoint = format!("inproc://panics-{number}");
        zmq::block_on(pull.bind(&endpoint))?;
        push.connect(&endpoint)?;
        let mut receiving = pin!(pull.recv());
        assert!(receiving.as_mut().poll(&mut panicking).is_pending());
        let mut sink = push.outgoing();
        Pin::new(&mut sink).start_send(Message::from("once"))?;
        let mut sending = pin!(push.send("once"));
        // The sink, or the future of a single send.
        let first = catch_unwind(AssertUnwindSafe(|| match number % 2 {
            0 => Pin::new(&mut sink).poll_flush(&mut calm).map(drop),
            _ => sending.as_mut().poll(&mut calm).map(drop),
        }));
        panics += u32::from(first.is_err());
        let _ = catch_unwind(AssertUnwindSafe(|| match number % 2 {
            0 => Pin::new(&mut sink).poll_flush(&mut calm).map(drop),
            _ => sending.as_mut().poll(&mut calm).map(drop),
        }));
        assert_eq!(pull.try_recv()?, Message::from("once"));
        assert!(pull.try_recv().is_err_and(|error| error.is_would_block()));
    }
    assert!(panics > 0, "no waker was called");
    Ok(())
}

#[test]
fn a_stream_that_was_left_while_it_waited_goes_on() {
    on_every_executor(|| async {
        let context = Context::new();
        let (push, pull) = (Push::new(&context), Pull::new(&context));
        push.connect(&pull.bind("tcp://127.0.0.1:0").await?)?;
        let mut stream = pull.incoming();
        for number in 0..300_u32 {
            // Left at once, and again once it has begun to wait.
            for times in [0, 1] {
                let waiting = poll_at_most(stream.next(), times).await;
                assert!(waiting.is_none(), "{number}: nothing was sent");
            }
            for part in 0..3 {
                push.send([number.to_be_bytes(), [part; 4]].concat())
                    .await?;
            }
            for part in 0..3 {
                let message = stream.next().await.ok_or("it ended")??;
                let wanted = [number.to_be_bytes(), [part; 4]].concat();
                assert_eq!(message, Message::from(wanted));
            }
        }
        Outcome::Ok(())
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
