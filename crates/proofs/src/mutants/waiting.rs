//! How those who wait are left waiting.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
    // ---- the bell of a thread in block_on ----
    Mutant {
        name: "bell-asleep-though-called",
        model: "bell",
        file: "wait/bell.rs",
        changes: &[(
            ".compare_exchange(AWAKE, ASLEEP, Ordering::SeqCst, Ordering::SeqCst);\n        alone.is_ok()",
            ".compare_exchange(AWAKE, ASLEEP, Ordering::SeqCst, Ordering::SeqCst);\n        let _ = alone;\n        self.0.swap(ASLEEP, Ordering::SeqCst);\n        true",
        )],
        why: "a call between the answer and the sleep is not heard",
    },
    Mutant {
        name: "bell-forgets-on-getting-up",
        model: "bell",
        file: "wait/bell.rs",
        changes: &[(
            "        let _ = self\n            .0\n            .compare_exchange(ASLEEP, AWAKE, Ordering::SeqCst, Ordering::SeqCst);",
            "        self.0.swap(AWAKE, Ordering::SeqCst);",
        )],
        why: "the call that woke the thread is not answered",
    },
    // ---- signal and commands ----
    Mutant {
        name: "signal-lowered-before-emptied",
        model: "signal",
        file: "poller/signal.rs",
        changes: &[(
            "        self.wire.empty();\n        self.raised.store(false, Ordering::SeqCst);",
            "        self.raised.store(false, Ordering::SeqCst);\n        self.wire.empty();",
        )],
        why: "raised between the two, it stays empty and counts as raised for ever",
    },
    Mutant {
        name: "orders-taken-before-drained",
        model: "signal",
        file: "orders.rs",
        changes: &[
            (
                "        if woken {\n            signal.drain();\n        }\n",
                "",
            ),
            (
                "        self.lock().as_mut().map(std::mem::take).unwrap_or_default()",
                "        let taken = self.lock().as_mut().map(std::mem::take).unwrap_or_default();\n        if woken {\n            signal.drain();\n        }\n        taken",
            ),
        ],
        why: "a command that comes between the two is not called for",
    },
    Mutant {
        name: "orders-added-after-the-end",
        model: "orders-ended",
        file: "orders.rs",
        changes: &[("None => Err(command),", "None => Ok(()),")],
        why: "a command is lost and its sender believes that it was taken",
    },
    // ---- waking ----
    Mutant {
        name: "waking-task-missed",
        model: "waking-task",
        file: "waking.rs",
        changes: &[(
            "if state.tasks.iter().all(Option::is_none) {",
            "if state.threads == 0 {",
        )],
        why: "tasks are woken only when a thread waits too",
    },
    Mutant {
        name: "waking-one-task",
        model: "waking-task-beside",
        file: "waking.rs",
        changes: &[(
            "state.tasks.iter_mut().filter_map(Option::take).collect()",
            "state.tasks.iter_mut().find_map(Option::take).into_iter().collect()",
        )],
        why: "the one that is woken may have given up",
    },
    Mutant {
        name: "waking-passer-by-settles",
        model: "waking-two-threads",
        file: "waking.rs",
        changes: &[(
            "        if state.unseen == 0 {\n            self.signal.drain();\n        }",
            "        self.signal.drain();",
        )],
        why: "the first to wake takes the signal down before the second has seen it",
    },
    Mutant {
        name: "waking-newcomer-clears",
        model: "waking-two-threads",
        file: "waking.rs",
        changes: &[(
            "        if state.unseen == 0 {\n            // Raised for others, who have all looked.\n            self.signal.clear();\n        }",
            "        self.signal.clear();",
        )],
        why: "one who begins to wait takes down what was raised for others",
    },
    Mutant {
        name: "waking-not-counted",
        model: "waking-thread",
        file: "waking.rs",
        changes: &[(
            "        state.threads += 1;\n        self.waiting.fetch_add(1, Ordering::SeqCst);",
            "        state.threads += 1;",
        )],
        why: "nobody seems to wait",
    },
    Mutant {
        name: "waking-counted-weakly",
        model: "inproc",
        file: "waking.rs",
        changes: &[(
            "        state.threads += 1;\n        self.waiting.fetch_add(1, Ordering::SeqCst);",
            "        state.threads += 1;\n        self.waiting.fetch_add(1, Ordering::Relaxed);",
        )],
        why: "the look at the inbox may come before one is counted: neither sees the other",
    },
    // ---- inbox ----
    Mutant {
        name: "inbox-posted-weakly",
        model: "inproc",
        file: "inbox.rs",
        changes: &[(
            "self.used.store(true, Ordering::SeqCst)",
            "self.used.store(true, Ordering::Release)",
        )],
        why: "the look at who waits may come before the notice is seen: neither sees the other",
    },
    Mutant {
        name: "inbox-flag-behind-the-lock",
        model: "inproc-closed",
        file: "inbox.rs",
        changes: &[(
            "        std::mem::swap(&mut *notices, into);\n",
            "        std::mem::swap(&mut *notices, into);\n        drop(notices);\n",
        )],
        why: "a notice that comes between the two is there and not flagged",
    },
    // ---- callers and the driver ----
    Mutant {
        name: "callers-left-in-between",
        model: "callers-brief",
        file: "callers.rs",
        changes: &[(
            "        if self.begin_patrol() {\n            Whose::CallersUnseen",
            "        if false {\n            Whose::CallersUnseen",
        )],
        why: "the driver leaves the socket to a caller that has gone meanwhile",
    },
    Mutant {
        name: "callers-off-the-list-late",
        model: "callers-two",
        file: "callers.rs",
        changes: &[
            (
                "        self.on_patrol.store(false, Ordering::SeqCst);\n        let came",
                "        let came",
            ),
            (
                "            watch();\n        }\n        false",
                "            watch();\n        }\n        self.on_patrol.store(false, Ordering::SeqCst);\n        false",
            ),
        ],
        why: "a sleeper that leaves after the look believes that the socket is on the list",
    },
    Mutant {
        name: "callers-tasks-asleep",
        model: "callers-relying",
        file: "wait.rs",
        changes: &[
            (
                "        if settled && self.waking.has_wakers() {",
                "        if false && settled {",
            ),
            (
                "                self.callers.left()\n",
                "                Whose::Callers\n",
            ),
        ],
        why: "a task that rests already is left with a socket that nobody watches",
    },
    Mutant {
        name: "callers-never-watched-again",
        model: "callers-turn",
        file: "callers.rs",
        changes: &[("            watch();\n", "            let _ = watch;\n")],
        why: "nobody looks after a socket whose callers have gone",
    },
    Mutant {
        name: "callers-turns-not-noted",
        model: "callers-two",
        file: "callers.rs",
        changes: &[(
            "            looks.turns = turns;\n            if often {",
            "            if often {",
        )],
        why: "a caller that came once seems to come again and again",
    },
    Mutant {
        name: "callers-waited-for",
        model: "callers-task",
        file: "callers.rs",
        changes: &[
            (
                "        if !self.has_sleepers() && waits() && serve() {",
                "        if !self.has_sleepers() && waits() && false {",
            ),
            ("serve: impl FnOnce() -> bool", "_: impl FnOnce() -> bool"),
        ],
        why: "callers that were told and do not come are waited for without end",
    },
    Mutant {
        name: "callers-left-for-ever",
        model: "callers-left",
        file: "callers.rs",
        changes: &[(
            "        if looks.away < looks.grace {",
            "        if looks.grace > 0 {",
        )],
        why: "callers that were borne with once are waited for without end",
    },
    Mutant {
        name: "callers-left-off-the-list",
        model: "callers-left",
        file: "wait.rs",
        changes: &[(
            "                if self.serve() && self.callers.begin_patrol() {\n",
            "                if self.serve() && false {\n",
        )],
        why: "nobody looks whether callers come for what was left to them",
    },
    Mutant {
        name: "callers-left-with-a-task-asleep",
        model: "callers-left-task",
        file: "wait.rs",
        changes: &[
            (
                "        if self.waking.anybody() {\n            // One",
                "        if false {\n            // One",
            ),
            (
                "                if self.serve() && self.callers.begin_patrol() {\n",
                "                if self.serve() && false {\n",
            ),
        ],
        why: "a task that rests already is left with a socket that nobody watches",
    },
    // ---- looks ----
    Mutant {
        name: "look-last-check-left-out",
        model: "look",
        file: "wait.rs",
        changes: &[
            ("        while !self.take() {\n", "        loop {\n"),
            (
                "            loom::thread::yield_now();\n        }\n        self.waking.leave(seen);",
                "            loom::thread::yield_now();\n            if self.take() {\n                break;\n            }\n        }\n        self.waking.leave(seen);",
            ),
        ],
        why: "what the driver read after the last look is queued, and one sleeps until more comes",
    },
    Mutant {
        name: "look-unseen",
        model: "look",
        file: "wait.rs",
        changes: &[(
            "        self.turn_in(true);\n",
            "        self.callers.called();\n        self.unwatch();\n        let (stream, signal) = self.ready();\n        self.handle(stream, signal);\n",
        )],
        why: "nobody watches the streams when one who looked has gone",
    },
    Mutant {
        name: "look-tells-nobody",
        model: "look-beside",
        file: "wait.rs",
        changes: &[("            self.waking.wake();\n", "")],
        why: "one reads what another sleeps for",
    },
];
