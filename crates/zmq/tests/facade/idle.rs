//! Who waits costs nothing.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures_lite::FutureExt;
use futures_lite::future::{poll_once, yield_now};
use zmq::{Context, Message, Pair, Pull, Push};

use crate::runtimes::{Outcome, endpoints, on_every_executor};

/// More than any honest number of wake-ups in these tests, and far less than a busy loop makes in their time.
const FEW: u32 = 1_000;
/// Messages that take so long to be received that others want to run in between.
const A_LOT: u32 = 50_000;
const MOMENT: Duration = Duration::from_millis(100);

/// Sends until there is no room for a moment; says how many were sent.
async fn fill(pair: &Pair, message: &Message) -> u32 {
    let mut sent = 0;
    while pair.send_timeout(message.clone(), MOMENT).await.is_ok() {
        sent += 1;
    }
    sent
}

/// Counts how often the future is polled.
async fn counted<F: Future>(future: F, polls: &mut u32) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        *polls += 1;
        future.as_mut().poll(cx)
    })
    .await
}

#[test]
fn a_waiting_sender_is_not_kept_busy_by_messages_that_nobody_reads() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let pair = || {
                let options = Pair::options().linger(Duration::ZERO).heartbeat(None);
                options.send_hwm(4).recv_hwm(4).open(&context)
            };
            let (left, right) = (pair(), pair());
            right.connect(left.bind(&place).await?)?;
            let large = Message::from(vec![0; 1 << 20]);
            let sent = fill(&left, &large).await;
            let mut polls = 0;
            let waiting = async {
                counted(left.send("waits"), &mut polls).await?;
                Outcome::Ok(())
            };
            let filling = async {
                // Nobody reads these.
                fill(&right, &large).await;
                // Now there is room for the one that waits, after all those before it.
                for _ in 0..sent {
                    right.recv().await?;
                }
                std::future::pending::<Outcome>().await
            };
            waiting.or(filling).await?;
            while right.recv().await? != Message::from("waits") {}
            assert!(polls < FEW, "polled {polls} times at {place}");
        }
        Ok(())
    });
}

#[test]
fn a_waiting_receiver_is_not_kept_busy_by_a_full_queue() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let pair = || {
                let options = Pair::options().linger(Duration::ZERO).heartbeat(None);
                options.send_hwm(4).recv_hwm(4).open(&context)
            };
            let (left, right) = (pair(), pair());
            right.connect(left.bind(&place).await?)?;
            let large = Message::from(vec![0; 1 << 20]);
            let mut polls = 0;
            let waiting = async {
                counted(left.recv(), &mut polls).await?;
                Outcome::Ok(())
            };
            let filling = async {
                fill(&left, &large).await;
                right.send("at last").await?;
                std::future::pending::<Outcome>().await
            };
            waiting.or(filling).await?;
            assert!(polls < FEW, "polled {polls} times at {place}");
        }
        Ok(())
    });
}

#[test]
fn a_task_that_is_answered_at_once_lets_others_run() {
    on_every_executor(|| async {
        let context = Context::new();
        let [(pull, _push), ..] = full(&context).await?;
        let mut turns = 0_u32;
        let receiving = async {
            for _ in 0..A_LOT {
                pull.recv().await?;
            }
            Outcome::Ok(())
        };
        let others = async {
            loop {
                turns += 1;
                yield_now().await;
            }
        };
        receiving.or(others).await?;
        assert!(turns >= 10, "others had {turns} turns");
        Ok(())
    });
}

/// Three sockets with a lot to receive, filled by the other three.
async fn full(
    context: &Context,
) -> Result<[(Pull, Push); 3], Box<dyn std::error::Error + Send + Sync>> {
    let pair = || {
        let pull = Pull::options().queue_octets(None).recv_hwm(None);
        let push = Push::options().queue_octets(None).send_hwm(None);
        (pull.open(context), push.open(context))
    };
    let pairs = [pair(), pair(), pair()];
    for (number, (pull, push)) in pairs.iter().enumerate() {
        pull.bind(&format!("inproc://full-{number}")).await?;
        push.connect(format!("inproc://full-{number}"))?;
        for _ in 0..A_LOT {
            push.try_send("one of many")?;
        }
    }
    Ok(pairs)
}

#[test]
fn a_task_that_waits_for_several_at_once_lets_others_run() {
    on_every_executor(|| async {
        let context = Context::new();
        let [a, b, c] = full(&context).await?;
        let (row, longest) = (AtomicU32::new(0), AtomicU32::new(0));
        let receiving = async {
            for _ in 0..3 * (A_LOT) {
                a.0.recv().or(b.0.recv()).or(c.0.recv()).await?;
                let so_far = row.fetch_add(1, Relaxed);
                longest.fetch_max(so_far + 1, Relaxed);
            }
            Outcome::Ok(())
        };
        let others = async {
            loop {
                row.store(0, Relaxed);
                yield_now().await;
            }
        };
        receiving.or(others).await?;
        let longest = longest.into_inner();
        assert!(longest < A_LOT / 5, "{longest} answers in a row");
        Ok(())
    });
}

#[test]
fn who_never_lets_others_run_gets_all_messages_nevertheless() {
    on_every_executor(|| async {
        let context = Context::new();
        let [a, ..] = full(&context).await?;
        let mut received = 0;
        while received < A_LOT {
            if let Some(message) = poll_once(a.0.recv()).await {
                message?;
                received += 1;
            }
        }
        Ok(())
    });
}
