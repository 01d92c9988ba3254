//! Plays a side with libzmq: `libzmq-peer` answers requests on standard input, `libzmq-peer perf ...` is one end of a
//! benchmark (see `peer-script`).

use std::error::Error;
use std::io::{stdin, stdout};

use libzmq_ref::{Libzmq, Perf};
use peer_script::{serve, work};

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        None => serve(&mut Libzmq::default(), stdin().lock(), stdout().lock())?,
        Some((verb, rest)) if verb == "perf" => {
            let job = rest.join(" ").parse()?;
            work(
                |job| Ok(Perf::new(job)),
                &job,
                stdin(),
                &mut stdout().lock(),
            )?
        }
        Some((verb, _)) => return Err(format!("unknown verb {verb}").into()),
    }
    Ok(())
}
