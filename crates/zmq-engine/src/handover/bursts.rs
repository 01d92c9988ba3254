//! The pipes of a socket in which messages gather, and whether the driver is to look after them.
//!
//! All of it lies under the socket's lock. A pipe is hot as long as it is here. While any is, the driver has the socket on its list,
//! or was told of it, or is about to be told by the one who made the first of them hot. Only the driver's tick takes the socket off that
//! list, when it finds no pipe here, and with the same lock held: so one who cools pipes tells nobody, and one who makes another hot
//! tells the driver only if it does not know.

#[derive(Debug)]
pub(crate) struct Bursts<K> {
    hot: Vec<K>,
    /// The driver has the socket on its list, or will have it.
    told: bool,
}

impl<K> Default for Bursts<K> {
    fn default() -> Bursts<K> {
        Bursts {
            hot: Vec::new(),
            told: false,
        }
    }
}

impl<K: PartialEq> Bursts<K> {
    /// A pipe that was not hot is hot from now on. Says whether the driver has to be told of the socket, by the one who asks.
    #[must_use]
    pub(crate) fn begin(&mut self, key: K) -> bool {
        self.hot.push(key);
        !std::mem::replace(&mut self.told, true)
    }

    /// A pipe is hot no more, or gone.
    pub(crate) fn end(&mut self, key: K) {
        self.hot.retain(|hot| *hot != key);
    }

    /// No pipe is hot any more; gives those that were.
    pub(crate) fn end_all(&mut self) -> Vec<K> {
        std::mem::take(&mut self.hot)
    }

    pub(crate) fn hot(&self) -> &[K] {
        &self.hot
    }

    /// The driver looks after each, and `stays` says which of them are hot still. Says whether any is: if not, the driver takes the
    /// socket off its list.
    pub(crate) fn tick(&mut self, stays: impl FnMut(&K) -> bool) -> bool {
        self.hot.retain(stays);
        self.told = !self.hot.is_empty();
        self.told
    }
}
