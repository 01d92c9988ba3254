//! Many messages in one call.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{self, Waker};
use std::thread;

use bytes::Bytes;
use futures_lite::future::{self, FutureExt as _};
use zmq::{Context, Dealer, Message, Pair, Pull, Push, SendFailure, Sub, blocking};

use crate::cancel::Awaited;
use crate::runtimes::{Outcome, endpoints, on_every_executor, poll_at_most, within_patience};
use crate::streams::Panics;

const MANY: u32 = 5_000;

/// Of all lengths that are kept and written differently, and of several frames now and then.
fn message(number: u32) -> Message {
    let body = vec![7; [0, 20, 60, 200, 900, 5_000][number as usize % 6]];
    let head = number.to_be_bytes().to_vec();
    match number % 4 {
        0 => [head, body].into_iter().collect(),
        _ => Message::from([head, body].concat()),
    }
}

fn messages(numbers: std::ops::Range<u32>) -> Vec<Message> {
    numbers.map(message).collect()
}

#[test]
fn lists_arrive_whole_and_in_order() {
    on_every_executor(|| async {
        for (place, mark) in endpoints().into_iter().zip([70, 1000, 10]) {
            let context = Context::new();
            let left = Dealer::options().send_hwm(mark).open(&context);
            let right = Dealer::options().recv_hwm(mark).open(&context);
            left.connect(&right.bind(&place).await?)?;
            let sending = async {
                let mut from = 0;
                for length in (0..400).cycle() {
                    let to = MANY.min(from + length);
                    let mut list = messages(from..to);
                    left.send_many(&mut list).await?;
                    assert!(list.is_empty());
                    from = to;
                    if from == MANY {
                        break;
                    }
                }
                Outcome::Ok(())
            };
            let receiving = async {
                let mut received = 0;
                let mut list = Vec::new();
                for most in (1..300).cycle() {
                    let count = right.recv_many(&mut list, most).await?;
                    assert!((1..=most).contains(&count));
                    assert_eq!(list.len(), count);
                    for met in list.drain(..) {
                        assert_eq!(met, message(received), "message {received}");
                        received += 1;
                    }
                    if received == MANY {
                        break;
                    }
                }
                Outcome::Ok(())
            };
            let (sent, received) = future::zip(sending, receiving).await;
            sent.and(received)?;
            assert_eq!(left.counters().accepted, u64::from(MANY));
            assert_eq!(right.counters().delivered, u64::from(MANY));
        }
        Ok(())
    });
}

#[test]
fn lists_between_threads_arrive_whole_and_in_order() {
    within_patience("threads", || {
        for place in endpoints() {
            let context = Context::new();
            let push = blocking::Push::options().send_hwm(100).open(&context);
            let pull = blocking::Pull::options().recv_hwm(100).open(&context);
            push.connect(&pull.bind(&place)?)?;
            thread::scope(|scope| {
                let sending = scope.spawn(|| push.send_many(&mut messages(0..MANY)));
                let mut list = Vec::new();
                while list.len() < MANY as usize {
                    let before = list.len();
                    let count = pull.recv_many(&mut list, 500)?;
                    assert_eq!(list.len() - before, count);
                }
                assert_eq!(list, messages(0..MANY));
                assert!(
                    pull.try_recv_many(&mut list, 1)
                        .is_err_and(|e| e.is_would_block())
                );
                sending.join().map_err(|_| "it panicked")??;
                Outcome::Ok(())
            })?;
        }
        Ok(())
    });
}

#[test]
fn what_a_list_is_to_receive_is_added_and_bounded() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let (push, pull) = (Push::new(&context), Pull::new(&context));
            push.connect(&pull.bind(&place).await?)?;
            let mut list = vec![Message::from("kept")];
            assert_eq!(pull.recv_many(&mut list, 0).await?, 0, "it waits for none");
            assert_eq!(pull.try_recv_many(&mut list, 0)?, 0);
            push.send_many(&mut messages(0..200)).await?;
            let mut most = 0;
            while list.len() < 201 {
                most = most % 7 + 1;
                let before = list.len();
                let count = pull.recv_many(&mut list, most).await?;
                assert!(count <= most);
                assert_eq!(list.len(), before + count);
            }
            assert_eq!(list.remove(0), Message::from("kept"));
            assert_eq!(list, messages(0..200));
        }
        Ok(())
    });
}

#[test]
fn a_list_that_waits_for_nobody_is_left_as_it_was() {
    on_every_executor(|| async {
        let context = Context::new();
        let push = Push::new(&context);
        let mut list = messages(0..9);
        assert!(poll_at_most(push.send_many(&mut list), 1).await.is_none());
        assert_eq!(list, messages(0..9));
        drop(push.send_many(&mut list));
        assert_eq!(list, messages(0..9));
        Ok(())
    });
}

#[test]
fn nothing_is_lost_or_doubled_by_lists_that_are_given_up() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let push = Push::options().send_hwm(10).heartbeat(None).open(&context);
            let pull = Pull::options().recv_hwm(10).heartbeat(None).open(&context);
            push.connect(&pull.bind(&place).await?)?;
            let sending = async {
                let mut list = messages(0..MANY);
                let mut patience = 0;
                loop {
                    patience = (patience + 1) % 4;
                    if let Some(sent) = poll_at_most(push.send_many(&mut list), patience).await {
                        break sent?;
                    }
                    future::yield_now().await;
                }
                assert!(list.is_empty());
                Outcome::Ok(())
            };
            let receiving = async {
                let mut list = Vec::new();
                let mut patience = 0;
                while list.len() < MANY as usize {
                    patience = (patience + 1) % 4;
                    match poll_at_most(pull.recv_many(&mut list, 7), patience).await {
                        Some(count) => assert!(count? > 0),
                        None => future::yield_now().await,
                    }
                }
                assert_eq!(list, messages(0..MANY));
                Outcome::Ok(())
            };
            let (sent, received) = future::zip(sending, receiving).await;
            sent.and(received)?;
            assert!(pull.try_recv().is_err(), "nothing came twice");
        }
        Ok(())
    });
}

#[test]
fn what_was_refused_is_left_in_the_list() {
    within_patience("threads", || {
        let context = Context::new();
        let push = blocking::Push::options().send_hwm(5).open(&context);
        let pull = blocking::Pull::options().recv_hwm(5).open(&context);
        pull.bind("inproc://refused")?;
        push.connect("inproc://refused")?;
        let mut list = messages(0..30);
        let left = thread::scope(|scope| {
            let sending = scope.spawn(|| {
                let sent = push.send_many(&mut list);
                assert!(
                    matches!(sent, Err(SendFailure::ContextShutDown)),
                    "{sent:?}"
                );
            });
            // It is waiting once there is no room.
            while push.counters().accepted < 10 {
                thread::yield_now();
            }
            context.shutdown();
            sending.join().map_err(|_| "it panicked")?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(push.counters().accepted)
        })?;
        assert_eq!(list, messages(u32::try_from(left)?..30));
        let again = push.send_many(&mut list);
        assert!(matches!(again, Err(SendFailure::ContextShutDown)));
        assert_eq!(list, messages(u32::try_from(left)?..30));
        Ok(())
    });
}

#[test]
fn octets_that_were_sent_are_let_go_of_though_the_list_waits() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let push = Push::options().send_hwm(50).open(&context);
            let pull = Pull::options().recv_hwm(50).open(&context);
            push.connect(&pull.bind(&place).await?)?;
            let owner = Arc::new(());
            // The last are not accepted until the first were received.
            let mut list: Vec<Message> = (0..50_000)
                .map(|_| {
                    let _owner = Arc::clone(&owner);
                    Bytes::from_owner(Awaited { _owner }).into()
                })
                .collect();
            let mut sending = pin!(push.send_many(&mut list));
            let mut received = 0;
            while future::poll_once(&mut sending).await.is_none() {
                while let Ok(message) = pull.try_recv() {
                    assert_eq!(message, Message::from([7; 100]));
                    received += 1;
                }
                // The driver may be about to let go of what it has written.
                while Arc::strong_count(&owner) - 1 > 50_000 - received {
                    future::yield_now().await;
                }
                future::yield_now().await;
            }
        }
        Ok(())
    });
}

#[test]
fn what_was_accepted_has_left_the_list_where_a_waker_panicked() -> Outcome {
    let waker = Waker::from(Arc::new(Panics(thread::current().id())));
    let mut panicking = task::Context::from_waker(&waker);
    let mut calm = task::Context::from_waker(Waker::noop());
    let context = Context::new();
    let mut panics = 0;
    for number in 0..8 {
        let (push, pull) = (Push::new(&context), Pull::new(&context));
        let endpoint = format!("inproc://panics-in-a-list-{number}");
        zmq::block_on(pull.bind(&endpoint))?;
        push.connect(&endpoint)?;
        let mut receiving = pin!(pull.recv());
        assert!(receiving.as_mut().poll(&mut panicking).is_pending());
        let mut list = vec![Message::from("first"), Message::from("second")];
        let first = catch_unwind(AssertUnwindSafe(|| {
            let sending = pin!(push.send_many(&mut list));
            sending.poll(&mut calm).map(drop)
        }));
        panics += u32::from(first.is_err());
        zmq::block_on(push.send_many(&mut list))?;
        assert!(list.is_empty());
        assert_eq!(pull.try_recv()?, Message::from("first"));
        assert_eq!(pull.try_recv()?, Message::from("second"));
        assert!(pull.try_recv().is_err_and(|error| error.is_would_block()));
    }
    assert!(panics > 0, "no waker was called");
    Ok(())
}

#[test]
fn peers_take_turns_in_lists() {
    on_every_executor(|| async {
        let context = Context::new();
        let push = Push::new(&context);
        let pulls = [
            Pull::new(&context),
            Pull::new(&context),
            Pull::new(&context),
        ];
        for pull in &pulls {
            push.connect(&pull.bind("tcp://127.0.0.1:0").await?)?;
        }
        push.ready(3).await?;
        let mut list = (0..900_u32).map(|n| n.to_be_bytes().into()).collect();
        push.send_many(&mut list).await?;
        for pull in &pulls {
            let mut list: Vec<Message> = Vec::new();
            while list.len() < 300 {
                pull.recv_many(&mut list, 300).await?;
            }
            let number =
                |met: &Message| u32::from_be_bytes(met.frames()[0][..].try_into().unwrap());
            assert!(
                list.windows(2)
                    .all(|two| number(&two[0]) + 3 == number(&two[1]))
            );
        }
        Ok(())
    });
}

#[test]
fn a_list_holds_nothing_of_topics_that_were_left() {
    on_every_executor(|| async {
        let context = Context::new();
        let (publisher, sub) = (zmq::Pub::new(&context), Sub::new(&context));
        let endpoint = publisher.bind("tcp://127.0.0.1:0").await?;
        sub.subscribe("a")?;
        sub.subscribe("b")?;
        sub.connect(&endpoint)?;
        publisher.subscribers(1).await?;
        let mut list = Vec::new();
        for _ in 0..50 {
            publisher.send("a first")?;
            publisher.send("b first")?;
        }
        sub.recv_many(&mut list, 1).await?;
        sub.unsubscribe("b")?;
        for _ in 0..50 {
            publisher.send("a then")?;
        }
        while list.len() < 100 {
            sub.recv_many(&mut list, 9).await?;
        }
        assert!(
            list.iter()
                .skip(1)
                .all(|met| met.frames()[0].first() == Some(&b'a'))
        );
        Ok(())
    });
}

#[test]
fn a_task_that_takes_lists_lets_others_run() {
    on_every_executor(|| async {
        let context = Context::new();
        let pull = Pull::options()
            .queue_octets(None)
            .recv_hwm(None)
            .open(&context);
        let push = Push::options()
            .queue_octets(None)
            .send_hwm(None)
            .open(&context);
        pull.bind("inproc://lists").await?;
        push.connect("inproc://lists")?;
        let turns = AtomicU32::new(0);
        let sending = async {
            let mut list: Vec<Message> = (0..200_000).map(|_| "one of many".into()).collect();
            push.send_many(&mut list).await?;
            let sent = turns.swap(0, Ordering::Relaxed);
            let mut received = 0;
            while received < 200_000 {
                received += pull.recv_many(&mut list, usize::MAX).await?;
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((sent, turns.load(Ordering::Relaxed)))
        };
        let others = async {
            loop {
                turns.fetch_add(1, Ordering::Relaxed);
                future::yield_now().await;
            }
        };
        let (sent, received) = sending.or(others).await?;
        // Each 50 us at the latest, and the clock is looked at after 127 messages.
        let least = if cfg!(debug_assertions) { 200 } else { 20 };
        let met = format!("others had {sent} and {received} turns");
        assert!(sent >= least && received >= least, "{met}");
        Ok(())
    });
}

#[test]
fn a_pair_takes_lists_while_it_sends_them() {
    within_patience("threads", || {
        let context = Context::new();
        let (left, right) = (Pair::new(&context), Pair::new(&context));
        zmq::block_on(left.bind("inproc://both-ways"))?;
        right.connect("inproc://both-ways")?;
        let [left, right] = [left, right].map(blocking::Pair::from);
        let talk = |socket: &blocking::Pair| {
            let mut list = Vec::new();
            for from in (0..MANY).step_by(100) {
                socket.send_many(&mut messages(from..from + 100))?;
                while list.len() < from as usize {
                    socket.recv_many(&mut list, 10)?;
                }
            }
            while list.len() < MANY as usize {
                socket.recv_many(&mut list, usize::MAX)?;
            }
            assert_eq!(list, messages(0..MANY));
            Outcome::Ok(())
        };
        thread::scope(|scope| {
            let other = scope.spawn(|| talk(&left));
            talk(&right)?;
            other.join().map_err(|_| "it panicked")?
        })
    });
}
