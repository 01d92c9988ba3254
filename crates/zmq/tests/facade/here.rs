//! `zmq::block_on`, beyond what holds on every executor.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use zmq::{Context, Message, Pull, Push, Rep, Req};

use crate::runtimes::{Outcome, within_patience};

/// More sockets than a thread watches by itself.
const MANY: usize = 100;

/// Messages of a run, and looks in vain that all of them may take together. Where the driver reads instead it takes some milliseconds for each, and
/// thousands of looks.
const MESSAGES: u32 = 1000;
const VAIN: u32 = 100 * MESSAGES;

type Receiving<'a> = Pin<Box<dyn Future<Output = Result<Message, zmq::RecvError>> + 'a>>;

struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A PULL, and a PUSH that is connected to it.
fn connected(context: &Context) -> Result<(Pull, Push), Box<dyn std::error::Error + Send + Sync>> {
    let (pull, push) = (Pull::new(context), Push::new(context));
    zmq::block_on(async {
        push.connect(&pull.bind("tcp://127.0.0.1:0").await?)?;
        push.ready(1).await?;
        Ok((pull, push))
    })
}

#[test]
fn threads_that_each_wait_for_themselves_talk_to_each_other() {
    within_patience("zmq::block_on", || {
        let context = Context::new();
        let (rep, req) = (Rep::new(&context), Req::new(&context));
        let endpoint = zmq::block_on(rep.bind("tcp://127.0.0.1:0"))?;
        let answering = thread::spawn(move || {
            zmq::block_on(async {
                for _ in 0..1000 {
                    let (question, responder) = rep.recv().await?.into_parts();
                    responder.reply(question)?;
                }
                Outcome::Ok(())
            })
        });
        req.connect(&endpoint)?;
        zmq::block_on(async {
            for number in 0..1000_u32 {
                let answer = req.request(number.to_string()).await?;
                assert_eq!(answer.first(), number.to_string().as_bytes());
            }
            Outcome::Ok(())
        })?;
        answering.join().map_err(|_| "it panicked")?
    });
}

#[test]
fn a_call_from_another_thread_is_heard() {
    within_patience("zmq::block_on", || {
        let (tell, hear) = smol::channel::bounded(1);
        let (answer, answered) = smol::channel::bounded(1);
        let other = thread::spawn(move || {
            zmq::block_on(async {
                for _ in 0..1000_u32 {
                    let number: u32 = hear.recv().await?;
                    answer.send(number).await?;
                }
                Outcome::Ok(())
            })
        });
        zmq::block_on(async {
            for number in 0..1000 {
                tell.send(number).await?;
                assert_eq!(answered.recv().await?, number);
            }
            Outcome::Ok(())
        })?;
        other.join().map_err(|_| "it panicked")?
    });
}

#[test]
fn what_still_waits_when_the_thread_leaves_is_called_and_goes_on_elsewhere() {
    within_patience("zmq::block_on", || {
        let context = Context::new();
        let (pull, push) = connected(&context)?;
        let mut receiving: Receiving<'_> = Box::pin(pull.recv());
        let count = Arc::new(Count(AtomicU32::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        zmq::block_on(poll_fn(|_| {
            let polled = receiving
                .as_mut()
                .poll(&mut TaskContext::from_waker(&waker));
            assert!(polled.is_pending());
            Poll::Ready(())
        }));
        assert!(
            count.0.load(Ordering::SeqCst) > 0,
            "nobody watches for it now"
        );
        zmq::block_on(push.send("elsewhere"))?;
        let message = futures_lite::future::block_on(receiving)?;
        assert_eq!(message.first(), b"elsewhere");
        Ok(())
    });
}

#[test]
fn a_future_that_is_always_called_does_not_keep_others_from_the_network() {
    within_patience("zmq::block_on", || {
        let context = Context::new();
        let (pull, push) = connected(&context)?;
        let sending = thread::spawn(move || zmq::block_on(push.send("at last")));
        zmq::block_on(async {
            let executor = smol::LocalExecutor::new();
            let received = executor.spawn(pull.recv());
            // As a task does that only wants to let others run.
            let restless = executor.spawn(poll_fn(|cx| {
                cx.waker().wake_by_ref();
                Poll::<()>::Pending
            }));
            let message = executor.run(received).await?;
            drop(restless);
            assert_eq!(message.first(), b"at last");
            Outcome::Ok(())
        })?;
        sending.join().map_err(|_| "it panicked")??;
        Ok(())
    });
}

#[test]
fn more_sockets_than_a_thread_watches_are_all_heard() {
    within_patience("zmq::block_on", || {
        let context = Context::new();
        let pairs = (0..MANY).map(|_| connected(&context));
        let (pulls, pushes): (Vec<Pull>, Vec<Push>) =
            pairs.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
        zmq::block_on(async {
            let executor = smol::LocalExecutor::new();
            let waiting: Vec<_> = pulls
                .iter()
                .map(|pull| executor.spawn(pull.recv()))
                .collect();
            while executor.try_tick() {}
            executor
                .run(async {
                    for (number, push) in pushes.iter().enumerate() {
                        push.send(number.to_string()).await?;
                    }
                    for (number, task) in waiting.into_iter().enumerate() {
                        assert_eq!(task.await?.first(), number.to_string().as_bytes());
                    }
                    Outcome::Ok(())
                })
                .await
        })
    });
}

/// Receives each message that it sends by looks that wait for nothing; the network takes a moment, but nobody else reads this.
async fn look_for_each(
    (pull, push): &(Pull, Push),
    look: impl AsyncFn(&Pull) -> Option<Result<Message, zmq::RecvError>>,
) -> Outcome {
    let mut vain = 0;
    for number in 0..MESSAGES {
        push.send(number.to_string()).await?;
        let message = loop {
            match look(pull).await {
                Some(received) => break received?,
                None => vain += 1,
            }
        };
        assert_eq!(message.first(), number.to_string().as_bytes());
    }
    assert!(vain < VAIN, "{vain} looks in vain");
    Ok(())
}

#[test]
fn who_has_no_time_looks_at_the_network_all_the_same() {
    within_patience("zmq::block_on", || {
        let pair = connected(&Context::new())?;
        let look = async |pull: &Pull| match pull.recv_timeout(Duration::ZERO).await {
            Err(zmq::RecvError::TimedOut) => None,
            received => Some(received),
        };
        zmq::block_on(look_for_each(&pair, look))
    });
}

#[test]
fn who_only_polls_now_and_then_reads_the_network_all_the_same() {
    within_patience("zmq::block_on", || {
        let pair = connected(&Context::new())?;
        // Each poll is a wait of its own, which is given up; the thread never sleeps.
        let look = async |pull: &Pull| futures_lite::future::poll_once(pull.recv()).await;
        zmq::block_on(look_for_each(&pair, look))
    });
}

#[test]
fn one_within_another_waits_for_itself() {
    within_patience("zmq::block_on", || {
        let context = Context::new();
        let (pull, push) = connected(&context)?;
        zmq::block_on(async {
            let mut receiving = pin!(pull.recv());
            poll_fn(|cx| {
                assert!(receiving.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            let (other, sender) = connected(&context)?;
            zmq::block_on(sender.send("inside"))?;
            assert_eq!(zmq::block_on(other.recv())?.first(), b"inside");
            push.send("outside").await?;
            assert_eq!(receiving.await?.first(), b"outside");
            Ok(())
        })
    });
}
