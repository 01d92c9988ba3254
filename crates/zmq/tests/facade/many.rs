//! Many tasks and threads on one socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use zmq::{Context, Pull, Push, RecvError, blocking};

use crate::runtimes::{Outcome, poll_at_most, within_patience};

// No heartbeats here: a wake-up that was lost must not be made good by the next sign of life.
const MANY: u32 = 20_000;

#[test]
fn sockets_can_be_shared_and_moved() {
    fn is_shared<T: Send + Sync + std::fmt::Debug>() {}
    is_shared::<Context>();
    is_shared::<zmq::Pair>();
    is_shared::<zmq::Pub>();
    is_shared::<zmq::Sub>();
    is_shared::<zmq::XPub>();
    is_shared::<zmq::XSub>();
    is_shared::<zmq::Req>();
    is_shared::<zmq::Rep>();
    is_shared::<zmq::Dealer>();
    is_shared::<zmq::Router>();
    is_shared::<Push>();
    is_shared::<Pull>();
    is_shared::<blocking::Router>();
    is_shared::<zmq::Request<'static>>();
    is_shared::<zmq::Incoming<'static, zmq::Message>>();
    is_shared::<zmq::Outgoing<'static, zmq::Message>>();
}

#[test]
fn tasks_that_share_a_socket_and_give_up_leave_messages_to_the_others() {
    within_patience("tokio, many threads", || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let context = Context::new();
            let push = Arc::new(Push::options().send_hwm(50).heartbeat(None).open(&context));
            let pull = Arc::new(Pull::options().recv_hwm(50).heartbeat(None).open(&context));
            let endpoint = pull.bind("tcp://127.0.0.1:0").await?;
            push.connect(&endpoint)?;
            let received = Arc::new(AtomicU32::new(0));
            let mut tasks = Vec::new();
            for patience in 1..=4 {
                let (pull, received) = (Arc::clone(&pull), Arc::clone(&received));
                let context = context.clone();
                tasks.push(tokio::spawn(async move {
                    loop {
                        match poll_at_most(pull.recv(), patience).await {
                            None => tokio::task::yield_now().await,
                            Some(Ok(_)) => {
                                if received.fetch_add(1, Ordering::Relaxed) + 1 == MANY {
                                    // Nothing else would wake the others again.
                                    context.shutdown();
                                }
                            }
                            Some(Err(RecvError::ContextShutDown)) => break,
                            Some(Err(error)) => panic!("{error}"),
                        }
                    }
                }));
            }
            for _ in 0..4 {
                let push = Arc::clone(&push);
                tasks.push(tokio::spawn(async move {
                    for _ in 0..MANY / 4 {
                        push.send("x").await.expect("the context lives");
                    }
                }));
            }
            for task in tasks {
                task.await?;
            }
            assert_eq!(received.load(Ordering::Relaxed), MANY);
            Outcome::Ok(())
        })
    });
}

#[test]
fn patient_tasks_that_share_a_socket_receive_everything() {
    within_patience("tokio, many threads", || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let context = Context::new();
            let push = Push::options().send_hwm(50).heartbeat(None).open(&context);
            let pull = Arc::new(Pull::options().recv_hwm(50).heartbeat(None).open(&context));
            let endpoint = pull.bind("tcp://127.0.0.1:0").await?;
            push.connect(&endpoint)?;
            let mut tasks = Vec::new();
            for _ in 0..4 {
                let pull = Arc::clone(&pull);
                tasks.push(tokio::spawn(async move {
                    for _ in 0..MANY / 4 {
                        pull.recv().await.expect("the context lives");
                    }
                }));
            }
            for _ in 0..MANY {
                push.send("x").await?;
            }
            for task in tasks {
                task.await?;
            }
            Outcome::Ok(())
        })
    });
}

#[test]
fn threads_that_share_a_socket_receive_everything() {
    within_patience("threads", || {
        let context = Context::new();
        let push = blocking::Push::options()
            .send_hwm(50)
            .heartbeat(None)
            .open(&context);
        let pull = blocking::Pull::options()
            .recv_hwm(50)
            .heartbeat(None)
            .open(&context);
        let endpoint = pull.bind("tcp://127.0.0.1:0")?;
        push.connect(&endpoint)?;
        let received = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while pull.recv().is_ok() {
                        if received.fetch_add(1, Ordering::Relaxed) + 1 == MANY {
                            context.shutdown();
                        }
                    }
                });
            }
            for _ in 0..MANY {
                push.send("x").expect("the context lives");
            }
        });
        assert_eq!(received.load(Ordering::Relaxed), MANY);
        Ok(())
    });
}

#[test]
fn a_task_that_always_has_a_message_lets_others_run() {
    within_patience("tokio, one thread", || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let context = Context::new();
            let (push, pull) = (Push::new(&context), Pull::new(&context));
            pull.bind("inproc://busy").await?;
            push.connect("inproc://busy")?;
            let other = tokio::spawn(async {});
            for _ in 0..MANY {
                push.send("x").await?;
                pull.recv().await?;
                if other.is_finished() {
                    return Outcome::Ok(());
                }
            }
            panic!("the other task never ran");
        })
    });
}

#[test]
fn a_socket_goes_on_in_another_runtime_than_it_began_in() {
    within_patience("tokio, one thread after the other", || {
        let context = Context::new();
        let (push, pull) = (Push::new(&context), Pull::new(&context));
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
        };
        let first = runtime()?;
        let endpoint = first.block_on(pull.bind("tcp://127.0.0.1:0"))?;
        push.connect(&endpoint)?;
        let exchange = async || {
            for _ in 0..20 {
                let sent = async {
                    tokio::task::yield_now().await;
                    push.send("x").await
                };
                let (received, sent) = futures_lite::future::zip(pull.recv(), sent).await;
                sent?;
                received?;
            }
            Outcome::Ok(())
        };
        first.block_on(exchange())?;
        // The first is still there, and nobody turns it; then it is gone.
        runtime()?.block_on(exchange())?;
        drop(first);
        runtime()?.block_on(exchange())?;
        smol::block_on(exchange())
    });
}
