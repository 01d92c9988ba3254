//! What the operating system says about a process: its memory and its descriptors. Linux only.

use std::fs;
use std::io;

/// Resident octets of a process; `None` is this one.
///
/// # Errors
/// When `/proc` does not tell.
pub fn resident(process: Option<u32>) -> io::Result<u64> {
    let status = fs::read_to_string(format!("{}/status", place(process)))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .and_then(|number| number.trim().parse::<u64>().ok())
        .map(|kibi| kibi * 1024)
        .ok_or_else(|| io::Error::other("no VmRSS in the status of the process"))
}

/// Open descriptors of a process; `None` is this one, and does not count the one that looks.
///
/// # Errors
/// When `/proc` does not tell.
pub fn descriptors(process: Option<u32>) -> io::Result<usize> {
    let count = fs::read_dir(format!("{}/fd", place(process)))?.count();
    Ok(count.saturating_sub(usize::from(process.is_none())))
}

/// Threads of a process; `None` is this one.
///
/// # Errors
/// When `/proc` does not tell.
pub fn threads(process: Option<u32>) -> io::Result<usize> {
    Ok(fs::read_dir(format!("{}/task", place(process)))?.count())
}

fn place(process: Option<u32>) -> String {
    process.map_or_else(|| "/proc/self".to_owned(), |id| format!("/proc/{id}"))
}

/// Raises the soft limit of open descriptors to the hard one, and gives it.
pub fn raise_descriptor_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Refused: then the soft limit it is.
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_descriptors_and_threads() {
        assert!(resident(None).expect("a number") > 100_000);
        let before = descriptors(None).expect("a number");
        assert!(before >= 3);
        assert!(threads(None).expect("a number") >= 1);
        assert!(raise_descriptor_limit() >= before as u64);
    }
}
