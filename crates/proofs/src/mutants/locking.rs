//! How two are inside at once, or one waits for ever.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "lock-not-looked-again",
        model: "lock",
        file: "zmq-lock/src/gate.rs",
        changes: &[(
            "        if self.belongs_to(own) {\n            // What others",
            "        if true {\n            // What others",
        )],
        why: "the owner comes in although it is the owner no more",
    },
    Mutant {
        name: "lock-no-light-fence-coming",
        model: "lock",
        file: "zmq-lock/src/gate.rs",
        changes: &[(
            "        own.inside.store(self.name, Ordering::Release);\n        fence::light();",
            "        own.inside.store(self.name, Ordering::Release);",
        )],
        why: "neither sees what the other has said, and both are inside",
    },
    Mutant {
        name: "lock-no-heavy-fence",
        model: "lock",
        file: "zmq-lock/src/gate.rs",
        changes: &[("            fence::heavy();\n", "")],
        why: "neither sees what the other has said, and both are inside",
    },
    Mutant {
        name: "lock-no-light-fence-going",
        model: "lock",
        file: "zmq-lock/src/gate.rs",
        changes: &[(
            "        own.inside.store(NOWHERE, Ordering::Release);\n        fence::light();",
            "        own.inside.store(NOWHERE, Ordering::Release);",
        )],
        why: "the owner does not see that somebody sleeps until it has gone",
    },
    Mutant {
        name: "lock-wakes-nobody",
        model: "lock",
        file: "zmq-lock/src/gate.rs",
        changes: &[("            sleep::wake(&own.inside);\n", "")],
        why: "who waits for the owner sleeps for ever",
    },
    Mutant {
        name: "lock-left-in-a-hurry",
        model: "lock",
        file: "zmq-lock/src/gate.rs",
        changes: &[(
            "own.inside.store(NOWHERE, Ordering::Release);",
            "own.inside.store(NOWHERE, Ordering::Relaxed);",
        )],
        why: "what the owner did need not have happened before the next comes in",
    },
    Mutant {
        name: "lock-owner-not-waited-for",
        model: "lock",
        file: "zmq-lock/src/gate.rs",
        changes: &[(
            "            while self.is_inside(ousted) {",
            "            while false {",
        )],
        why: "who takes the lock away comes in while the owner is inside",
    },
    Mutant {
        name: "lock-ousted-forgotten",
        model: "lock-tried",
        file: "zmq-lock/src/gate.rs",
        changes: &[(
            "            self.common.unlock();\n            return None;",
            "            self.ousted.set(None);\n            self.common.unlock();\n            return None;",
        )],
        why: "one tries and goes away, and the next does not know that the former owner is inside",
    },
    Mutant {
        name: "lock-tried-not-let-go",
        model: "lock-tried",
        file: "zmq-lock/src/gate.rs",
        changes: &[(
            "            self.common.unlock();\n            return None;",
            "            return None;",
        )],
        why: "who tried in vain keeps the lock",
    },
    Mutant {
        name: "lock-no-common-lock-for-the-ousted",
        model: "lock-three",
        file: "zmq-lock/src/gate.rs",
        changes: &[(
            "    fn enter_as_all(&self) {\n        self.common.lock();",
            "    fn enter_as_all(&self) {\n        let _ = self.common.try_lock();",
        )],
        why: "two come in as everybody does",
    },
    Mutant {
        name: "lock-two-at-once",
        model: "lock-two-locks",
        file: "zmq-lock/src/gate.rs",
        changes: &[(
            "            return false;\n        }\n        // Released",
            "        }\n        // Released",
        )],
        why: "a thread says of one lock that it is inside, and nobody knows of the other",
    },
    Mutant {
        name: "lock-common-relaxed",
        model: "lock",
        file: "zmq-lock/src/mutex.rs",
        changes: &[(
            "self.0.swap(FREE, Ordering::Release)",
            "self.0.swap(FREE, Ordering::Relaxed)",
        )],
        why: "what was done inside need not have happened before the next comes in",
    },
    Mutant {
        name: "lock-common-others-forgotten",
        model: "lock-three",
        file: "zmq-lock/src/mutex.rs",
        changes: &[(
            "while self.0.swap(AWAITED, Ordering::Acquire) != FREE {",
            "while self.0.swap(LOCKED, Ordering::Acquire) != FREE {",
        )],
        why: "who was woken does not say that others sleep",
    },
    Mutant {
        name: "place-not-fenced-coming",
        model: "place",
        file: "zmq-lock/src/place.rs",
        changes: &[("        fence::light();\n", "")],
        why: "the visitor finds it open, and who closes it finds nobody there",
    },
    Mutant {
        name: "place-not-fenced-closing",
        model: "place",
        file: "zmq-lock/src/place.rs",
        changes: &[("    fence::heavy();\n", "")],
        why: "the visitor finds it open, and who closes it finds nobody there",
    },
    Mutant {
        name: "place-left-in-a-hurry",
        model: "place",
        file: "zmq-lock/src/place.rs",
        changes: &[(
            "self.record.place.store(NOWHERE as usize, Ordering::Release);",
            "self.record.place.store(NOWHERE as usize, Ordering::Relaxed);",
        )],
        why: "what a visitor did need not have happened before the place is taken apart",
    },
    Mutant {
        name: "place-not-waited-for",
        model: "place",
        file: "zmq-lock/src/place.rs",
        changes: &[(
            "while record.place.load(Ordering::Acquire) == place.get() {",
            "while false {",
        )],
        why: "it is taken apart while somebody is there",
    },
];
