//! Tries the engine with other implementations: `interop [filter]...` runs the cells whose name contains each of the filters.
#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::fs;
use std::io::{Write, stdin, stdout};
use std::path::Path;
use std::process::ExitCode;

use peer_script::serve;
use zmq_interop::{
    Arena, Cell, Ours, PLAY, Program, Tally, jeromq, libzmq, ours, run, with_jeromq, with_libzmq,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<ExitCode> {
    let filters: Vec<String> = env::args().skip(1).collect();
    if filters.iter().any(|filter| filter == PLAY) {
        serve(&mut Ours::new()?, stdin().lock(), stdout().lock())?;
        return Ok(ExitCode::SUCCESS);
    }
    let folder = env::temp_dir().join(format!("interop-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let mut tally = tries(libzmq()?, &with_libzmq(), (&folder, &filters))?;
    let cells = with_jeromq();
    if cells.iter().any(|cell| cell.is_wanted(&filters)) {
        let met = match jeromq(&folder) {
            Ok(program) => tries(program, &cells, (&folder, &filters))?,
            Err(why) => tries(ours()?, &[Cell::skipped("jeromq", why)], (&folder, &[]))?,
        };
        tally = tally + met;
    }
    fs::remove_dir_all(&folder)?;
    say(&tally.to_string());
    Ok(if tally.failed > 0 || tally.passed == 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Runs cells with the program that plays their side.
fn tries(theirs: Program, cells: &[Cell], (folder, filters): (&Path, &[String])) -> Result<Tally> {
    let mut arena = Arena::new(ours()?, theirs, folder);
    Ok(run(&mut arena, cells, filters, &mut |line| say(line)))
}

fn say(line: &str) {
    // Whoever reads may have gone; the exit code still tells.
    let _ = writeln!(stdout(), "{line}");
}
