//! A router that hands tasks to workers which ask for them, on tokio: `cargo run -p zmq --example router_dealer`.

use std::sync::Arc;

type Fault = Box<dyn std::error::Error + Send + Sync>;

const TASKS: u32 = 10;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let context = zmq::Context::new();
    let router = Arc::new(zmq::Router::new(&context));
    let endpoint = router.bind("tcp://127.0.0.1:0").await?;

    let workers = ["anna", "bert"].map(|name| {
        let worker = zmq::Dealer::options().routing_id(name).open(&context);
        tokio::spawn(work(worker, endpoint.clone()))
    });

    // Whoever is ready says so, and gets the next task.
    for task in 0..TASKS {
        let (worker, _ready) = router.recv().await?;
        router.send_to(&worker, format!("task {task}")).await?;
    }
    for _ in &workers {
        let (worker, _ready) = router.recv().await?;
        router.send_to(&worker, "end").await?;
    }
    for worker in workers {
        worker.await??;
    }
    Ok(())
}

async fn work(worker: zmq::Dealer, endpoint: zmq::Endpoint) -> Result<(), Fault> {
    worker.connect(&endpoint)?;
    loop {
        worker.send("ready").await?;
        let task = worker.recv().await?;
        say(&task);
        if task.first() == b"end" {
            return Ok(());
        }
    }
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn say(task: &zmq::Message) {
    println!("{}", task.first().escape_ascii());
}
