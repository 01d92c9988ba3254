//! Test totals, read from what test programs print.

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Totals {
    /// Adds what a line says, if it is the closing line of a test program: `test result: ok. 3 passed; 0 failed; ...`
    /// of libtest, or `3 passed, 0 failed` of our own programs.
    pub(crate) fn read_line(&mut self, line: &str) {
        let line = line.trim();
        let counts = match line.strip_prefix("test result: ") {
            Some(rest) => rest.split_once(". ").map(|(_, counts)| counts),
            None => Some(line),
        };
        let mut parts = counts.unwrap_or_default().split([',', ';']).map(str::trim);
        let passed = parts.next().and_then(|part| count(part, "passed"));
        let failed = parts.next().and_then(|part| count(part, "failed"));
        if let (Some(passed), Some(failed)) = (passed, failed) {
            self.passed += passed;
            self.failed += failed;
        }
    }
}

fn count(part: &str, what: &str) -> Option<u64> {
    part.strip_suffix(what)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_count_and_others_do_not() {
        let mut totals = Totals::default();
        for line in [
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "7 passed, 1 failed",
            "test result_is_read ... ok",
            "running 5 tests",
            "5 passed",
        ] {
            totals.read_line(line);
        }
        assert_eq!(
            totals,
            Totals {
                passed: 14,
                failed: 4
            }
        );
    }
}
