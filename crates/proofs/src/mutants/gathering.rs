//! How what was left for others, or gathers, is forgotten.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
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
    // ---- bursts ----
    Mutant {
        name: "burst-driver-untold",
        model: "burst",
        file: "bursts.rs",
        changes: &[(
            "        !std::mem::replace(&mut self.told, true)",
            "        std::mem::replace(&mut self.told, true)",
        )],
        why: "a burst begins and the driver, which sleeps, is not told",
    },
    Mutant {
        name: "burst-told-for-ever",
        model: "burst",
        file: "bursts.rs",
        changes: &[(
            "        self.told = !self.hot.is_empty();\n        self.told\n",
            "        !self.hot.is_empty()\n",
        )],
        why: "the driver has forgotten the socket, and is not told of it anew",
    },
    Mutant {
        name: "burst-forgotten-late",
        model: "burst",
        file: "flushing.rs",
        changes: &[(
            "        core.bursts = bursts;\n        drop(core);\n",
            "        drop(core);\n        self.lock().bursts = bursts;\n",
        )],
        why: "a pipe that becomes hot before the tick has come to its end is overlooked",
    },
    Mutant {
        name: "burst-left-hot",
        model: "burst",
        file: "flushing.rs",
        changes: &[(
            "(!fresh && !waits) {\n            pipe.pace = Pace::Idle;\n",
            "(!fresh && !waits) {\n",
        )],
        why: "what comes next gathers in a pipe that the tick has left",
    },
    Mutant {
        name: "round-leaves-hot",
        model: "burst-round",
        file: "flushing.rs",
        changes: &[(
            "else { continue };\n            pipe.pace = Pace::Idle;\n",
            "else { continue };\n",
        )],
        why: "messages gather still in a pipe of which the tick knows no more",
    },
    Mutant {
        name: "round-cools-only",
        model: "burst-round",
        file: "flushing.rs",
        changes: &[(
            "            {\n                effects.pump.push(link);",
            "            {\n                drop(link);",
        )],
        why: "what had gathered stays in a pipe of which the tick knows no more",
    },
    Mutant {
        name: "round-cools-late",
        model: "burst-round",
        file: "flushing.rs",
        changes: &[
            (
                "        for key in core.bursts.end_all() {",
                "        let ended = core.bursts.end_all();\n        for key in ended.clone() {",
            ),
            (
                "else { continue };\n            pipe.pace = Pace::Idle;\n",
                "else { continue };\n",
            ),
            (
                "        self.run(effects);\n    }\n\n    /// The driver looks",
                "        self.run(effects);\n        let mut core = self.lock();\n        for key in ended {\n            if let Some(pipe) = core.pipe(key) {\n                pipe.pace = Pace::Idle;\n            }\n        }\n    }\n\n    /// The driver looks",
            ),
        ],
        why: "a message that comes meanwhile gathers in a pipe of which the tick knows no more",
    },
    Mutant {
        name: "closing-not-heard",
        model: "burst-closed",
        file: "burst.rs",
        changes: &[("        if awaited {\n", "        if false && awaited {\n")],
        why: "the driver does not hear that the last message of a closing socket has left",
    },
    // ---- bundles ----
    Mutant {
        name: "bundle-overlooked",
        model: "bundle",
        file: "burst.rs",
        changes: &[("        core.close_bundle(None);\n", "")],
        why: "the tick does not find what is in no pipe yet, and forgets the socket",
    },
    Mutant {
        name: "bundle-settled-late",
        model: "bundle",
        file: "flushing.rs",
        changes: &[
            (
                "        let mut core = self.lock();\n        let mut bursts",
                "        let mut core = self.lock_amid();\n        let mut bursts",
            ),
            (
                "        core.bursts = bursts;\n",
                "        core.bursts = bursts;\n        core.close_bundle(None);\n",
            ),
        ],
        why: "the tick cools pipes in which there is something once it has looked",
    },
    Mutant {
        name: "bundle-not-settled",
        model: "bundle-cooled",
        file: "flushing.rs",
        changes: &[(
            "        let mut core = self.lock();\n        for key in core.bursts.end_all()",
            "        let mut core = self.lock_amid();\n        for key in core.bursts.end_all()",
        )],
        why: "one who cools the pipes leaves what is bundled for them behind",
    },
    Mutant {
        name: "bundle-for-idle-pipes",
        model: "bundle",
        file: "burst.rs",
        changes: &[(
            "pipe.pace == Pace::Hot && !pipe.flush_wanted",
            "!pipe.flush_wanted",
        )],
        why: "what is bundled comes into pipes of which the tick does not know",
    },
    Mutant {
        name: "bundle-overtaken",
        model: "burst-closed",
        file: "burst.rs",
        changes: &[(
            "        core.close_bundle(Some(&mut effects));\n        core.enqueue",
            "        core.enqueue",
        )],
        why: "a message for other targets leaves before those that were bundled",
    },
    Mutant {
        name: "bundle-not-fetched",
        model: "bundle-inproc",
        file: "lane.rs",
        changes: &[(
            "writer.lock().hand_over(&mut effects)",
            "writer.lock_amid().hand_over(&mut effects)",
        )],
        why: "a reader that fetches does not find what is bundled, and sleeps",
    },
    Mutant {
        name: "bundle-opened-for-one-who-waits",
        model: "bundle-inproc",
        file: "lane.rs",
        changes: &[(
            "!lane.begin_gathering(*side))",
            "lane.begin_gathering(*side) || lane.room(*side) > 0)",
        )],
        why: "somebody who waits for the first message is left waiting for others",
    },
];
