//! Where the tests run.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Duration;

pub(crate) type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Far longer than anything here takes: a test that hangs has to end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the test on tokio (many threads and one), on smol, on the facade's own `block_on`, and on a loop that only parks its thread.
pub(crate) fn on_every_executor<F>(test: impl Fn() -> F + Clone + Send + 'static)
where
    F: Future<Output = Outcome> + Send,
{
    within_patience("tokio, many threads", {
        let test = test.clone();
        move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()?;
            runtime.block_on(test())
        }
    });
    within_patience("tokio, one thread", {
        let test = test.clone();
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(test())
        }
    });
    within_patience("smol", {
        let test = test.clone();
        move || smol::block_on(test())
    });
    within_patience("zmq::block_on", {
        let test = test.clone();
        move || zmq::block_on(test())
    });
    within_patience("a bare loop", move || block_on(test()));
}

/// Runs the test on the one executor that promises least.
pub(crate) fn on_a_bare_loop<F>(test: impl FnOnce() -> F + Send + 'static)
where
    F: Future<Output = Outcome>,
{
    within_patience("a bare loop", move || block_on(test()));
}

/// Runs the test on a thread, and fails when it hangs.
pub(crate) fn within_patience(place: &str, test: impl FnOnce() -> Outcome + Send + 'static) {
    let (told, hears) = mpsc::channel();
    let runner = thread::spawn(move || {
        let outcome = test().map_err(|error| error.to_string());
        let _ = told.send(outcome);
    });
    match hears.recv_timeout(PATIENCE) {
        Ok(outcome) => assert_eq!(outcome, Ok(()), "on {place}"),
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("hangs on {place}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let panic = runner.join().expect_err("it said nothing");
            std::panic::resume_unwind(panic);
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The least an executor can be.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Polls the future at most `times` times, whenever it asks for it, and then drops it.
pub(crate) async fn poll_at_most<F: Future>(future: F, times: u32) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polled = 0;
    std::future::poll_fn(|cx| {
        if polled == times {
            return Poll::Ready(None);
        }
        polled += 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polled == times => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// An endpoint to bind to, for each of the built-in transports.
pub(crate) fn endpoints() -> [String; 3] {
    [
        "tcp://127.0.0.1:0".to_owned(),
        ipc_place(),
        format!("inproc://test-{}", next_number()),
    ]
}

/// A path that nobody else uses.
pub(crate) fn ipc_place() -> String {
    let name = format!("zmq-facade-{}-{}", std::process::id(), next_number());
    let path = std::env::temp_dir().join(name);
    format!("ipc://{}", path.display())
}

fn next_number() -> u32 {
    static NUMBERS: AtomicU32 = AtomicU32::new(0);
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}
