//! Tries the engine with other implementations: `interop [filter]...` runs the cells whose name contains each of the filters.
#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::fs;
use std::io::{Write, stdin, stdout};
use std::process::ExitCode;

use peer_script::serve;
use zmq_interop::{Arena, Ours, PLAY, libzmq, ours, run, with_libzmq};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<ExitCode> {
    let filters: Vec<String> = env::args().skip(1).collect();
    if filters.iter().any(|filter| filter == PLAY) {
        serve(&mut Ours::new()?, stdin().lock(), stdout().lock())?;
        return Ok(ExitCode::SUCCESS);
    }
    let folder = env::temp_dir().join(format!("interop-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let mut arena = Arena::new(ours()?, libzmq()?, &folder);
    let tally = run(&mut arena, &with_libzmq(), &filters, &mut |line| say(line));
    drop(arena);
    fs::remove_dir_all(&folder)?;
    say(&tally.to_string());
    Ok(if tally.failed > 0 || tally.passed == 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn say(line: &str) {
    // Whoever reads may have gone; the exit code still tells.
    let _ = writeln!(stdout(), "{line}");
}
