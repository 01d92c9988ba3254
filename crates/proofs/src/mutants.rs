// Ways to break the protocols. The build script sees to it that each still fits; `cargo xtask loom` tries whether its model
// notices.

/// A change that a model must fail for.
#[allow(
    dead_code,
    reason = "read by the build script in part and by the program in part"
)]
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    /// The model that must fail.
    pub(crate) model: &'static str,
    /// How the path of the broken file ends.
    pub(crate) file: &'static str,
    /// What is there once, and what takes its place.
    pub(crate) changes: &'static [(&'static str, &'static str)],
    /// What goes wrong.
    pub(crate) why: &'static str,
}

pub(crate) const MUTANTS: &[Mutant] = &[
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
    // ---- links ----
    Mutant {
        name: "link-let-go-last",
        model: "link",
        file: "holding.rs",
        changes: &[(
            "        drop(held);\n        drop(common);",
            "        drop(common);\n        drop(held);",
        )],
        why: "one who finds the link held after the last look leaves what nobody writes",
    },
    Mutant {
        name: "link-no-second-look",
        model: "link",
        file: "carry.rs",
        changes: &[("if core.out > 0 && (", "if false && (")],
        why: "what was left while the holder wrote is forgotten",
    },
    Mutant {
        name: "link-rounds-forgotten",
        model: "link-three",
        file: "carry.rs",
        changes: &[("            core.tick = true;\n", "")],
        why: "a holder who has gone round often enough leaves without telling the driver",
    },
    Mutant {
        name: "link-flush-overlooked",
        model: "link-hot",
        file: "carry.rs",
        changes: &[("(!core.hot || core.flush_wanted)", "!core.hot")],
        why: "the holder does not see that somebody asked",
    },
    // ---- inproc ----
    Mutant {
        name: "hunger-looked-at-first",
        model: "inproc",
        file: "hunger.rs",
        changes: &[(
            "        self.gathered.store(true, Ordering::SeqCst);\n        self.hungry.load(Ordering::SeqCst)",
            "        let hungry = self.hungry.load(Ordering::SeqCst);\n        self.gathered.store(true, Ordering::SeqCst);\n        hungry",
        )],
        why: "the reader may run dry between the two: neither sees the other's flag",
    },
    Mutant {
        name: "waiters-looked-at-first",
        model: "inproc",
        file: "inproc.rs",
        changes: &[(
            "        self.hunger(side).begin_gathering() && waits() != Some(false)",
            "        let waits = waits();\n        self.hunger(side).begin_gathering() && waits != Some(false)",
        )],
        why: "the reader may begin to wait between the two and find nothing gathered",
    },
    Mutant {
        name: "waiters-not-looked-at",
        model: "inproc",
        file: "inproc.rs",
        changes: &[(
            "        self.hunger(side).begin_gathering() && waits() != Some(false)",
            "        let _ = waits;\n        self.hunger(side).begin_gathering() && false",
        )],
        why: "the first message gathers while somebody waits for it",
    },
    Mutant {
        name: "gathered-looked-at-first",
        model: "inproc",
        file: "lane.rs",
        changes: &[(
            "        self.wait(|| self.take_all())",
            "        self.wait(|| self.take())",
        )],
        why: "the writer may begin to gather between the look and the waiting, and sees nobody wait",
    },
    Mutant {
        name: "gathered-raised-weakly",
        model: "inproc",
        file: "hunger.rs",
        changes: &[(
            "self.gathered.store(true, Ordering::SeqCst)",
            "self.gathered.store(true, Ordering::Release)",
        )],
        why: "the look may come before the flag is seen",
    },
    Mutant {
        name: "gathered-not-raised",
        model: "inproc",
        file: "hunger.rs",
        changes: &[(
            "        self.gathered.store(true, Ordering::SeqCst);\n        self.hungry",
            "        self.hungry",
        )],
        why: "a reader that was not hungry does not know that there is something to fetch",
    },
    Mutant {
        name: "hunger-never-raised",
        model: "inproc",
        file: "hunger.rs",
        changes: &[("        self.hungry.store(true, Ordering::SeqCst);\n", "")],
        why: "the writer believes for ever that the reader has something else",
    },
    Mutant {
        name: "hunger-lowered-late",
        model: "inproc-burst",
        file: "inproc.rs",
        changes: &[
            ("        self.hunger(side).hand_over(messages > 0);\n", ""),
            (
                "        half.blocked |= room == 0;\n        let tell = !std::mem::replace(&mut half.told, true);\n        drop(half);\n",
                "        half.blocked |= room == 0;\n        let tell = !std::mem::replace(&mut half.told, true);\n        drop(half);\n        self.hunger(side).hand_over(messages > 0);\n",
            ),
        ],
        why: "the flag of a reader that is hungry anew is lowered, and it is not fed",
    },
    Mutant {
        name: "lane-told-for-ever",
        model: "inproc",
        file: "inproc.rs",
        changes: &[("        half.told = false;\n", "")],
        why: "the reader is told of the first messages only",
    },
    Mutant {
        name: "lane-full-unnoticed",
        model: "inproc-full",
        file: "inproc.rs",
        changes: &[(
            "        half.messages = half.messages.saturating_add(messages);\n        let room = half.room();\n        half.blocked |= room == 0;\n",
            "        half.messages = half.messages.saturating_add(messages);\n        let room = half.room();\n",
        )],
        why: "the writer is not told of room",
    },
    Mutant {
        name: "lane-tells-lookers-only",
        model: "inproc-full",
        file: "inproc.rs",
        changes: &[(
            "self.counted() <= capacity.saturating_sub(1) / 2\n                || self.looking",
            "let _ = capacity;\n            self.looking",
        )],
        why: "a writer that has looked in vain and sleeps is not told of room",
    },
    Mutant {
        name: "inproc-thirst-forgotten",
        model: "inproc",
        file: "lane.rs",
        changes: &[("            self.thirsty = true;\n", "")],
        why: "a reader that has used up everything does not look for more",
    },
    Mutant {
        name: "inproc-no-second-look",
        model: "inproc",
        file: "lane.rs",
        changes: &[
            (
                "            if let Some(done) = attempt() {\n                break done;\n            }\n",
                "",
            ),
            (
                "            seen = self.waking.enter();\n        };",
                "            seen = self.waking.enter();\n            if let Some(done) = attempt() {\n                break done;\n            }\n        };",
            ),
        ],
        why: "what came before one was counted among those who wait is not looked for",
    },
    Mutant {
        name: "inproc-no-fetch",
        model: "inproc",
        file: "lane.rs",
        changes: &[("                None if self.fetch() => {}\n", "")],
        why: "a reader sleeps while something has gathered for it",
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
];
