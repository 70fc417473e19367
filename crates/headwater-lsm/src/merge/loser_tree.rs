//! A tournament tree: finds the smallest of some players again after the smallest has changed.
//!
//! Players are numbers, each with an entry that decides; the order of entries is an argument. It must
//! be strict: no two entries are equal.

/// Each inner node remembers the entry that lost its match. Player `i` is leaf `len + i`, the parent
/// of node `n` is `n / 2`, node 1 is the final.
#[derive(Debug)]
pub(super) struct LoserTree<E> {
    losers: Vec<E>,
    winner: E,
}

impl<E: Copy> LoserTree<E> {
    /// A tree of the players with these entries. Without a player, `none` wins.
    pub(super) fn new(entries: &[E], none: E, less: impl Fn(E, E) -> bool) -> Self {
        let players = entries.len();
        let mut losers = vec![none; players];
        let mut winners: Vec<E> =
            std::iter::repeat_n(none, players).chain(entries.iter().copied()).collect();
        for node in (1..players).rev() {
            let (a, b) = (winners[2 * node], winners[2 * node + 1]);
            let (winner, loser) = if less(a, b) { (a, b) } else { (b, a) };
            winners[node] = winner;
            losers[node] = loser;
        }
        Self { losers, winner: winners.get(1).copied().unwrap_or(none) }
    }

    /// The smallest entry.
    #[inline]
    pub(super) const fn winner(&self) -> E {
        self.winner
    }

    /// The smallest entry but for that of the winner, which is `player`.
    pub(super) fn runner_up(&self, player: usize, less: impl Fn(E, E) -> bool) -> Option<E> {
        let mut best: Option<E> = None;
        let mut node = (self.losers.len() + player) / 2;
        while node > 0 {
            let loser = self.losers[node];
            if best.is_none_or(|best| less(loser, best)) {
                best = Some(loser);
            }
            node /= 2;
        }
        best
    }

    /// Gives the winner, which is `player`, another entry and finds the new winner.
    #[inline]
    pub(super) fn replay(&mut self, player: usize, entry: E, less: impl Fn(E, E) -> bool) {
        let mut winner = entry;
        let mut node = (self.losers.len() + player) / 2;
        while node > 0 {
            // Who wins cannot be foretold: selections cost less than a branch.
            let loser = self.losers[node];
            let swap = less(loser, winner);
            self.losers[node] = std::hint::select_unpredictable(swap, winner, loser);
            winner = std::hint::select_unpredictable(swap, loser, winner);
            node /= 2;
        }
        self.winner = winner;
    }

    /// Gives each player another entry; all keep their order.
    pub(super) fn replace(&mut self, entry: impl Fn(E) -> E) {
        // Node 0 is nobody's.
        for old in self.losers.iter_mut().skip(1).chain([&mut self.winner]) {
            *old = entry(*old);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};

    use super::LoserTree;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn winners_come_in_order_and_the_runner_up_is_the_next(
            players in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 1..12),
        ) {
            let mut players = players;
            players.iter_mut().for_each(|p| p.sort_unstable_by(|a, b| b.cmp(a)));
            let mut expected: Vec<u8> = players.iter().flatten().copied().collect();
            expected.sort_unstable();
            let head = |players: &[Vec<u8>], i: usize| {
                (players[i].last().map_or(256, |&v| u16::from(v)), i)
            };
            let entries: Vec<_> = (0..players.len()).map(|i| head(&players, i)).collect();
            let mut tree = LoserTree::new(&entries, (0, 0), |a, b| a < b);
            let mut seen = Vec::new();
            loop {
                let (value, winner) = tree.winner();
                prop_assert_eq!((value, winner), head(&players, winner));
                let others = (0..players.len()).filter(|&i| i != winner);
                let expected = others.map(|i| head(&players, i)).min();
                prop_assert_eq!(tree.runner_up(winner, |a, b| a < b), expected);
                let Some(value) = players[winner].pop() else { break };
                seen.push(value);
                tree.replay(winner, head(&players, winner), |a, b| a < b);
                tree.replace(|(_, player)| head(&players, player));
            }
            prop_assert_eq!(seen, expected);
        }
    }
}
