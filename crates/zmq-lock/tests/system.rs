//! What the system may do to it: fork the process, and refuse the fence. Each in a child, by whose exit status it is judged.
#![cfg(target_os = "linux")]

use std::num::NonZeroUsize;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use zmq_lock::place::{self, Visit};
use zmq_lock::{Lock, fence};

/// So long nothing happens that must not happen.
const SILENCE: Duration = Duration::from_millis(100);

/// So long a child has for all it does, in seconds.
const PATIENCE: u32 = 60;

/// Runs something in a forked child, which fails if it panics or hangs.
fn in_child(run: impl FnOnce()) {
    // SAFETY: what the child does is what children of programs with threads can do with this system's library: allocate, and begin threads.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        // SAFETY: ends a child that hangs.
        unsafe { libc::alarm(PATIENCE) };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        // SAFETY: no destructors of a parent's things.
        unsafe { libc::_exit(i32::from(result.is_err())) };
    }
    let mut status = 0;
    // SAFETY: a child of our own, and a place for its status.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0, "the child's status");
}

fn place_of<T>(thing: &T) -> NonZeroUsize {
    NonZeroUsize::new(std::ptr::from_ref(thing).addr()).unwrap()
}

fn make_own(lock: &Lock<u32>) {
    for _ in 0..10_000 {
        *lock.lock() += 1;
    }
}

#[test]
fn in_a_forked_child_its_threads_are_waited_for_and_those_it_does_not_have_are_not() {
    if !fence::is_available() {
        return;
    }
    let (one, other) = (1_u64, 2_u64);
    let (one, other) = (place_of(&one), place_of(&other));
    let lock = Lock::new(0);
    make_own(&lock);
    thread::scope(|scope| {
        let (said, heard) = channel();
        let (go, gone) = channel::<()>();
        scope.spawn(move || {
            let _visit = Visit::begin(one).unwrap();
            said.send(()).unwrap();
            let _ = gone.recv();
        });
        heard.recv().unwrap();
        in_child(|| {
            assert_eq!(
                place::wait(one),
                1,
                "its thread is not here and stays there"
            );
            // The thread that forked is as it was.
            make_own(&lock);
            let visit = Visit::begin(other).unwrap();
            let (said, heard) = channel();
            let closer = thread::spawn(move || {
                let left = place::wait(other);
                said.send(()).unwrap();
                left
            });
            assert_eq!(heard.recv_timeout(SILENCE), Err(RecvTimeoutError::Timeout));
            drop(visit);
            assert_eq!(closer.join().unwrap(), 0);
            // Another takes away what was owned before the fork.
            thread::scope(|scope| scope.spawn(|| make_own(&lock)).join().unwrap());
            assert_eq!(*lock.lock(), 30_000);
        });
        drop(go);
    });
    assert_eq!(*lock.lock(), 10_000);
}

#[test]
fn who_forks_inside_is_inside_in_the_child_and_in_its_child() {
    let lock = Lock::new(0);
    make_own(&lock);
    let thing = 0_u8;
    let place = place_of(&thing);
    let guard = lock.lock();
    let visit = Visit::begin(place);
    let visits = u32::from(visit.is_some());
    let mut held = Some((guard, visit));
    in_child(|| {
        in_child(|| {
            thread::scope(|scope| {
                let other = scope.spawn(|| lock.try_lock().is_none());
                assert!(other.join().unwrap());
            });
            assert_eq!(place::wait(place), visits);
            drop(held.take());
            thread::scope(|scope| scope.spawn(|| make_own(&lock)).join().unwrap());
            make_own(&lock);
            assert_eq!(*lock.lock(), 30_000);
        });
    });
}

/// What the process says that was refused the fence.
const REFUSED: &str = "refused from the beginning";

fn write(mut to: impl std::io::Write, text: &str) {
    writeln!(to, "{text}").unwrap();
}

/// From now on this thread, and those it begins, are refused `membarrier`.
fn refuse_the_fence() {
    let statement = |code: u32, k: u32| libc::sock_filter {
        code: code.try_into().unwrap(),
        jt: 0,
        jf: 0,
        k,
    };
    let call: u32 = libc::SYS_membarrier.try_into().unwrap();
    let mut program = [
        // The number of the call comes first.
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0),
        libc::sock_filter {
            jf: 1,
            ..statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, call)
        },
        statement(
            libc::BPF_RET | libc::BPF_K,
            libc::SECCOMP_RET_ERRNO | libc::EPERM.cast_unsigned(),
        ),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog {
        len: program.len().try_into().unwrap(),
        filter: program.as_mut_ptr(),
    };
    // SAFETY: the filter is there for the time of the call.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let mode = libc::SECCOMP_MODE_FILTER;
        assert_eq!(
            libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program),
            0
        );
    }
}

/// What must hold whether there is a fence or not.
fn use_from_two_threads() {
    let lock = Lock::new(0);
    make_own(&lock);
    thread::scope(|scope| {
        scope.spawn(|| make_own(&lock));
        make_own(&lock);
    });
    assert_eq!(*lock.lock(), 30_000);
}

#[test]
fn where_the_fence_is_refused_from_the_beginning_nobody_relies_on_it() {
    // A process that has not asked: the other test may have.
    let program = std::env::current_exe().unwrap();
    let mut command = std::process::Command::new(program);
    command.args(["--exact", "refused", "--ignored", "--nocapture"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains(REFUSED));
}

#[test]
#[ignore = "run by the test before in a process of its own, in which nothing has asked for the fence yet"]
fn refused() {
    refuse_the_fence();
    assert!(!fence::is_available());
    write(std::io::stdout(), REFUSED);
    use_from_two_threads();
    let thing = 0_u8;
    assert!(Visit::begin(place_of(&thing)).is_none());
    assert_eq!(place::wait(place_of(&thing)), 0);
}

#[test]
fn where_the_fence_is_refused_later_the_lock_goes_on() {
    if !fence::is_available() {
        return;
    }
    in_child(|| {
        refuse_the_fence();
        use_from_two_threads();
        let thing = 0_u8;
        let visit = Visit::begin(place_of(&thing)).unwrap();
        assert_eq!(place::wait(place_of(&thing)), 1);
        drop(visit);
    });
}
