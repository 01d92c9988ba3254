//! What the program was asked for.

use crate::Result;

const USAGE: &str = "usage: bench [--pairs N] [--filter TEXT] [--quick] [--unpinned]";
/// An odd number: the median is then one of the pairs.
const PAIRS: usize = 15;
const QUICK_PAIRS: usize = 3;

/// What the program was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// Pairs of runs, one of each library, for each shape.
    pub(crate) pairs: usize,
    /// Only shapes whose names contain this.
    pub(crate) filter: String,
    /// Short runs.
    pub(crate) quick: bool,
    /// Each end stays on a core of its own.
    pub(crate) pinned: bool,
}

impl Arguments {
    pub(crate) fn parse(words: &[String]) -> Result<Arguments> {
        let (mut pairs, mut filter) = (None, String::new());
        let (mut quick, mut pinned) = (false, true);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(USAGE);
            match word.as_str() {
                "--pairs" => pairs = Some(value()?.parse().map_err(|_| USAGE)?),
                "--filter" => value()?.clone_into(&mut filter),
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
            quick,
            pinned,
        })
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
        let arguments = parse("--quick --filter tcp --unpinned --pairs 5").unwrap();
        assert_eq!(arguments.pairs, 5);
        assert_eq!(arguments.filter, "tcp");
        assert!(arguments.quick && !arguments.pinned);
        for wrong in ["--pairs", "--pairs 0", "--pairs x", "--fast", "tcp"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
