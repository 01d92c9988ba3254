//! Arguments of a command: `--name value`, `--name=value` and `--name`.

use crate::Result;

/// Arguments not yet asked for. [`Flags::finish`] refuses what nobody asked for.
pub(crate) struct Flags(Vec<String>);

impl Flags {
    pub(crate) fn new(arguments: &[String]) -> Flags {
        Flags(arguments.to_vec())
    }

    /// Whether the switch `--name` was given.
    pub(crate) fn switch(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|argument| argument != name);
        self.0.len() != before
    }

    /// The value of `--name`, if it was given.
    pub(crate) fn value(&mut self, name: &str) -> Result<Option<String>> {
        let prefix = format!("{name}=");
        for index in 0..self.0.len() {
            if let Some(value) = self.0[index].strip_prefix(&prefix).map(str::to_owned) {
                self.0.remove(index);
                return Ok(Some(value));
            }
            if self.0[index] == name {
                self.0.remove(index);
                if index == self.0.len() {
                    return Err(format!("{name} wants a value"));
                }
                return Ok(Some(self.0.remove(index)));
            }
        }
        Ok(None)
    }

    /// The value of `--name` as a number.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>> {
        self.value(name)?
            .map(|value| {
                value
                    .parse()
                    .map_err(|_| format!("{name} wants a number, met `{value}`"))
            })
            .transpose()
    }

    /// What was not asked for, for whoever knows it.
    pub(crate) fn rest(self) -> Vec<String> {
        self.0
    }

    /// Fails on the first argument that was not taken.
    pub(crate) fn finish(self) -> Result {
        match self.0.first() {
            None => Ok(()),
            Some(argument) => Err(format!("does not know the argument `{argument}`")),
        }
    }
}

/// For commands without arguments.
pub(crate) fn none(arguments: &[String]) -> Result {
    Flags::new(arguments).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(words: &[&str]) -> Flags {
        Flags(words.iter().map(|&word| word.to_owned()).collect())
    }

    #[test]
    fn a_value_is_taken_in_both_spellings() {
        for words in [&["--seconds", "5"][..], &["--seconds=5"][..]] {
            let mut met = flags(words);
            assert_eq!(met.number("--seconds"), Ok(Some(5)));
            assert_eq!(met.finish(), Ok(()));
        }
    }

    #[test]
    fn a_missing_value_and_a_stray_argument_are_refused() {
        assert!(flags(&["--seconds"]).value("--seconds").is_err());
        assert!(flags(&["--seconds", "x"]).number("--seconds").is_err());
        assert!(flags(&["--loud"]).finish().is_err());
    }
}
