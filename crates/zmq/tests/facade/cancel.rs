//! Futures that are dropped before they are done take nothing with them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use zmq::{Context, Dealer, Message, Pull, Push, Router};

use crate::runtimes::{Outcome, endpoints, on_every_executor, poll_at_most};
use futures_lite::future;

// No heartbeats here: a wake-up that was lost must not be made good by the next sign of life.
const MANY: u32 = 5_000;

#[test]
fn no_message_is_lost_by_receivers_that_give_up() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let push = Push::options().send_hwm(100).heartbeat(None).open(&context);
            let pull = Pull::options().recv_hwm(100).heartbeat(None).open(&context);
            let endpoint = pull.bind(&place).await?;
            push.connect(&endpoint)?;
            let sending = async {
                for number in 0..MANY {
                    push.send(number.to_be_bytes()).await?;
                }
                Outcome::Ok(())
            };
            let receiving = async {
                let mut patience = 0;
                for number in 0..MANY {
                    let message = loop {
                        patience = (patience + 1) % 4;
                        if let Some(message) = poll_at_most(pull.recv(), patience).await {
                            break message?;
                        }
                        future::yield_now().await;
                    };
                    assert_eq!(message, Message::from(number.to_be_bytes()));
                }
                Outcome::Ok(())
            };
            let (sent, received) = future::zip(sending, receiving).await;
            sent.and(received)?;
        }
        Ok(())
    });
}

#[test]
fn no_message_is_lost_or_doubled_by_senders_that_give_up() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let push = Push::options().send_hwm(10).heartbeat(None).open(&context);
            let pull = Pull::options().recv_hwm(10).heartbeat(None).open(&context);
            let endpoint = pull.bind(&place).await?;
            push.connect(&endpoint)?;
            let sending = async {
                let mut patience = 0;
                for number in 0..MANY {
                    let message = Message::from(number.to_be_bytes());
                    loop {
                        patience = (patience + 1) % 4;
                        // What was not accepted when the future is dropped never will be.
                        if let Some(sent) = poll_at_most(push.send(message.clone()), patience).await
                        {
                            break sent?;
                        }
                        future::yield_now().await;
                    }
                }
                Outcome::Ok(())
            };
            let receiving = async {
                for number in 0..MANY {
                    assert_eq!(pull.recv().await?, Message::from(number.to_be_bytes()));
                }
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
fn nothing_is_sent_or_received_by_a_future_that_nobody_polls() {
    on_every_executor(|| async {
        let context = Context::new();
        let (push, pull) = (Push::new(&context), Pull::new(&context));
        push.connect(&pull.bind("tcp://127.0.0.1:0").await?)?;
        // In a burst, where each would be ready at once.
        for number in 0..900_u32 {
            drop(push.send("never"));
            let sending = push.send(number.to_be_bytes());
            drop(push.send_timeout("never", Duration::from_secs(1)));
            sending.await?;
        }
        for number in 0..900_u32 {
            drop(pull.recv());
            let receiving = pull.recv();
            drop(pull.recv_timeout(Duration::from_secs(1)));
            assert_eq!(receiving.await?, Message::from(number.to_be_bytes()));
        }
        Ok(())
    });
}

#[test]
fn a_future_that_is_over_does_nothing_twice() {
    let context = Context::new();
    let (push, pull) = (Push::new(&context), Pull::new(&context));
    zmq::block_on(async {
        push.connect(&pull.bind("tcp://127.0.0.1:0").await?)?;
        for _ in 0..10 {
            let mut sending = pin!(push.send("once"));
            sending.as_mut().await?;
            let again = catch_unwind(AssertUnwindSafe(|| zmq::block_on(sending)));
            assert!(again.is_err(), "sent twice");
        }
        push.send("last").await?;
        for _ in 0..10 {
            let mut receiving = pin!(pull.recv());
            assert_eq!(receiving.as_mut().await?, Message::from("once"));
            let again = catch_unwind(AssertUnwindSafe(|| zmq::block_on(receiving)));
            assert!(again.is_err(), "received twice");
        }
        assert_eq!(pull.recv().await?, Message::from("last"));
        Outcome::Ok(())
    })
    .expect("all is sent and received");
}

/// Octets that somebody waits for.
pub(crate) struct Awaited {
    pub(crate) _owner: Arc<()>,
}

impl AsRef<[u8]> for Awaited {
    fn as_ref(&self) -> &[u8] {
        &[7; 100]
    }
}

#[test]
fn octets_that_were_sent_are_let_go_of_though_the_future_is_kept() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let (push, pull) = (Push::new(&context), Pull::new(&context));
            push.connect(&pull.bind(&place).await?)?;
            let owner = Arc::new(());
            let mut kept = Vec::new();
            for _ in 0..500 {
                let octets = Bytes::from_owner(Awaited {
                    _owner: Arc::clone(&owner),
                });
                let mut sending = Box::pin(push.send(octets));
                sending.as_mut().await?;
                kept.push(sending);
            }
            for _ in 0..500 {
                assert_eq!(pull.recv().await?, Message::from([7; 100]));
            }
            // The driver may be about to let go of what it has written.
            while Arc::strong_count(&owner) > 1 {
                future::yield_now().await;
            }
        }
        Ok(())
    });
}

#[test]
fn select_storms_between_two_sockets_lose_nothing() {
    on_every_executor(|| async {
        let context = Context::new();
        let pulls = [Pull::new(&context), Pull::new(&context)];
        let pushes = [Push::new(&context), Push::new(&context)];
        for (pull, push) in pulls.iter().zip(&pushes) {
            let endpoint = pull.bind("tcp://127.0.0.1:0").await?;
            push.connect(&endpoint)?;
        }
        let sending = async {
            for number in 0..MANY {
                pushes[(number % 2) as usize]
                    .send(number.to_be_bytes())
                    .await?;
            }
            Outcome::Ok(())
        };
        let receiving = async {
            let mut seen = [0_u32, 0];
            for _ in 0..MANY {
                let (from, message) =
                    future::or(async { (0_usize, pulls[0].recv().await) }, async {
                        (1_usize, pulls[1].recv().await)
                    })
                    .await;
                let number = seen[from] * 2 + u32::try_from(from)?;
                assert_eq!(message?, Message::from(number.to_be_bytes()));
                seen[from] += 1;
            }
            Outcome::Ok(())
        };
        let (sent, received) = future::zip(sending, receiving).await;
        sent.and(received)
    });
}

#[test]
fn a_socket_whose_receiver_waits_can_still_wait_for_room() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let dealer = Dealer::options()
                .send_hwm(2)
                .recv_hwm(2)
                .heartbeat(None)
                .open(&context);
            let router = Router::options()
                .send_hwm(2)
                .recv_hwm(2)
                .heartbeat(None)
                .open(&context);
            let endpoint = router.bind(&place).await?;
            dealer.connect(&endpoint)?;
            let sending = async {
                for number in 0..MANY {
                    dealer.send(number.to_be_bytes()).await?;
                }
                Outcome::Ok(())
            };
            let receiving = async {
                for number in 0..MANY {
                    assert_eq!(dealer.recv().await?, Message::from(number.to_be_bytes()));
                }
                Outcome::Ok(())
            };
            let echoing = async {
                for _ in 0..MANY {
                    let (peer, message) = router.recv().await?;
                    router.send_to(&peer, message).await?;
                }
                Outcome::Ok(())
            };
            let (sent, (received, echoed)) =
                future::zip(sending, future::zip(receiving, echoing)).await;
            sent.and(received).and(echoed)?;
        }
        Ok(())
    });
}
