//! What the program was asked for.

use std::path::PathBuf;

use crate::Result;

const USAGE: &str = "usage: bench [--pairs N] [--filter TEXT] [--side NAME]... [--json FILE] [--quick] [--unpinned]";
/// An odd number: the median is then one of the pairs.
const PAIRS: usize = 15;
const QUICK_PAIRS: usize = 3;

/// What the program was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// Rounds of runs, one of each side, for each shape.
    pub(crate) pairs: usize,
    /// Only shapes whose names contain this.
    pub(crate) filter: String,
    /// Only sides with these names; all if there are none.
    pub(crate) sides: Vec<String>,
    /// The folder with libzmq's own programs and both libraries, to be measured by them and nothing else.
    pub(crate) capi: Option<PathBuf>,
    /// The folder with the programs of other libraries.
    pub(crate) rivals: Option<PathBuf>,
    /// Where everything measured goes, if not into the target directory.
    pub(crate) json: Option<PathBuf>,
    /// Short runs.
    pub(crate) quick: bool,
    /// Each end stays on a core of its own.
    pub(crate) pinned: bool,
}

impl Arguments {
    pub(crate) fn parse(words: &[String]) -> Result<Arguments> {
        let (mut pairs, mut filter) = (None, String::new());
        let (mut sides, mut capi, mut rivals, mut json) = (Vec::new(), None, None, None);
        let (mut quick, mut pinned) = (false, true);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(USAGE);
            match word.as_str() {
                "--pairs" => pairs = Some(value()?.parse().map_err(|_| USAGE)?),
                "--filter" => value()?.clone_into(&mut filter),
                "--side" => sides.push(value()?.clone()),
                "--capi" => capi = Some(PathBuf::from(value()?)),
                "--rivals" => rivals = Some(PathBuf::from(value()?)),
                "--json" => json = Some(PathBuf::from(value()?)),
                "--quick" => quick = true,
                "--unpinned" => pinned = false,
                _ => return Err(USAGE.into()),
            }
        }
        let pairs = pairs.unwrap_or(if quick { QUICK_PAIRS } else { PAIRS });
        if pairs == 0 {
            return Err("--pairs: at least one".into());
        }
        Ok(Arguments {
            pairs,
            filter,
            sides,
            capi,
            rivals,
            json,
            quick,
            pinned,
        })
    }

    /// Whether a side of this name takes part.
    pub(crate) fn wants(&self, side: &str) -> bool {
        self.sides.is_empty() || self.sides.iter().any(|name| name == side)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Arguments::parse(&words)
    }

    #[test]
    fn nothing_said_means_fifteen_pairs_of_everything_on_fixed_cores() {
        let arguments = parse("").unwrap();
        assert_eq!(arguments.pairs, 15);
        assert!(arguments.pinned && !arguments.quick && arguments.filter.is_empty());
    }

    #[test]
    fn words_are_taken_in_any_order_and_unknown_ones_refused() {
        let arguments =
            parse("--quick --filter tcp --unpinned --pairs 5 --side own --json a").unwrap();
        assert_eq!(arguments.pairs, 5);
        assert_eq!(arguments.filter, "tcp");
        assert_eq!(arguments.json, Some(PathBuf::from("a")));
        assert!(arguments.wants("own") && !arguments.wants("libzmq"));
        assert!(arguments.quick && !arguments.pinned);
        for wrong in ["--pairs", "--pairs 0", "--pairs x", "--fast", "tcp"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
