//! Closing, dropping, full queues, lost peers.

use std::time::Duration;

use futures_lite::future;
use zmq::{Context, Message, Pull, Push, RecvError, SendFailure};

use crate::runtimes::{Outcome, PATIENCE, endpoints, ipc_place, on_every_executor};

#[test]
fn close_reports_what_was_not_sent() {
    on_every_executor(|| async {
        let context = Context::new();
        let push = Push::options().linger(Duration::ZERO).open(&context);
        push.connect(ipc_place())?;
        for _ in 0..7 {
            push.send("lost").await?;
        }
        assert_eq!(push.close().await.unsent, 7);
        Ok(())
    });
}

#[test]
fn close_waits_until_everything_was_sent() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let push = Push::options().linger(None).open(&context);
            let pull = Pull::new(&context);
            let endpoint = pull.bind(&place).await?;
            push.connect(&endpoint)?;
            for _ in 0..1_000 {
                push.send([7; 100]).await?;
            }
            let receiving = async {
                for _ in 0..1_000 {
                    pull.recv().await?;
                }
                Ok::<(), RecvError>(())
            };
            let (report, received) = future::zip(push.close(), receiving).await;
            assert_eq!(report.unsent, 0);
            received?;
        }
        Ok(())
    });
}

#[test]
fn what_a_dropped_socket_accepted_still_leaves() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            // By default it gives up after a second, in which a busy machine may not come to it.
            let push = Push::options().linger(PATIENCE).open(&context);
            let pull = Pull::new(&context);
            let endpoint = pull.bind(&place).await?;
            push.connect(&endpoint)?;
            for _ in 0..100 {
                push.send("still").await?;
            }
            drop(push);
            for _ in 0..100 {
                assert_eq!(pull.recv().await?, Message::from("still"));
            }
        }
        Ok(())
    });
}

#[test]
fn a_full_queue_holds_the_sender_up_and_gives_the_message_back() {
    on_every_executor(|| async {
        let context = Context::new();
        let push = Push::options()
            .send_hwm(5)
            .linger(Duration::ZERO)
            .open(&context);
        push.connect(ipc_place())?;
        for _ in 0..5 {
            push.try_send("fits")?;
        }
        let error = push.try_send("sixth").expect_err("the queue is full");
        assert!(error.is_would_block());
        assert_eq!(error.into_message(), Message::from("sixth"));
        let error = push
            .send_timeout("sixth", Duration::from_millis(1))
            .await
            .expect_err("the queue is full");
        assert!(matches!(error.reason(), SendFailure::TimedOut));
        assert_eq!(error.into_message(), Message::from("sixth"));
        Ok(())
    });
}

#[test]
fn a_lost_peer_is_found_again() {
    on_every_executor(|| async {
        for place in ["tcp://127.0.0.1:0".to_owned(), ipc_place()] {
            let context = Context::new();
            let push = Push::new(&context);
            let pull = Pull::new(&context);
            let endpoint = pull.bind(&place).await?;
            push.connect(&endpoint)?;
            push.send("before").await?;
            assert_eq!(pull.recv().await?, Message::from("before"));
            let mut events = push.monitor()?;
            pull.close().await;
            loop {
                let event = events.next().await.ok_or("the socket lives")?;
                if matches!(event.what, zmq::monitor::Happening::Closed { .. }) {
                    break;
                }
            }
            let pull = Pull::new(&context);
            pull.bind(&endpoint).await?;
            push.send("after").await?;
            assert_eq!(pull.recv().await?, Message::from("after"));
        }
        Ok(())
    });
}

#[test]
fn shutting_the_context_down_ends_every_wait() {
    on_every_executor(|| async {
        let context = Context::new();
        let (pull, push) = (Pull::new(&context), Push::new(&context));
        let ending = async {
            future::yield_now().await;
            context.shutdown();
        };
        let waiting = future::zip(pull.recv(), future::zip(push.send("x"), pull.ready(1)));
        let ((received, (sent, ready)), ()) = future::zip(waiting, ending).await;
        assert!(matches!(received, Err(RecvError::ContextShutDown)));
        let error = sent.expect_err("there is no context any more");
        assert!(matches!(error.reason(), SendFailure::ContextShutDown));
        assert_eq!(error.into_message(), Message::from("x"));
        assert!(matches!(
            ready.expect_err("nobody can come").reason(),
            zmq::ReadyFailure::Closed
        ));
        Outcome::Ok(())
    });
}

#[test]
fn a_future_may_be_dropped_while_its_socket_closes() {
    on_every_executor(|| async {
        let context = Context::new();
        let pull = Pull::new(&context);
        let endpoint = pull.bind("tcp://127.0.0.1:0").await?;
        let push = Push::new(&context);
        push.connect(&endpoint)?;
        push.send("still").await?;
        crate::runtimes::poll_at_most(push.close(), 1).await;
        assert_eq!(pull.recv().await?, Message::from("still"));
        Ok(())
    });
}
