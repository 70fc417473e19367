//! A tournament tree: finds the smallest of some players again after the smallest has changed.
//!
//! Players are numbers; the order is an argument. It must be strict: no two players are equal.

/// Each inner node remembers the loser of its match. Player `i` is leaf `len + i`, the parent of
/// node `n` is `n / 2`, node 1 is the final.
#[derive(Debug)]
pub(super) struct LoserTree {
    losers: Vec<usize>,
    winner: usize,
}

impl LoserTree {
    /// A tree of `players`, at least one.
    pub(super) fn new(players: usize, less: impl Fn(usize, usize) -> bool) -> Self {
        let mut losers = vec![0; players];
        let mut winners: Vec<usize> = std::iter::repeat_n(0, players).chain(0..players).collect();
        for node in (1..players).rev() {
            let (a, b) = (winners[2 * node], winners[2 * node + 1]);
            let (winner, loser) = if less(a, b) { (a, b) } else { (b, a) };
            winners[node] = winner;
            losers[node] = loser;
        }
        Self { losers, winner: winners.get(1).copied().unwrap_or(0) }
    }

    /// The smallest player.
    #[inline]
    pub(super) const fn winner(&self) -> usize {
        self.winner
    }

    /// The smallest player but for the winner.
    pub(super) fn runner_up(&self, less: impl Fn(usize, usize) -> bool) -> Option<usize> {
        let mut best = None;
        let mut node = (self.losers.len() + self.winner) / 2;
        while node > 0 {
            let loser = self.losers[node];
            if best.is_none_or(|best| less(loser, best)) {
                best = Some(loser);
            }
            node /= 2;
        }
        best
    }

    /// Finds the new winner after the winner's key has changed.
    #[inline]
    pub(super) fn replay(&mut self, less: impl Fn(usize, usize) -> bool) {
        let mut winner = self.winner;
        let mut node = (self.losers.len() + winner) / 2;
        while node > 0 {
            if less(self.losers[node], winner) {
                std::mem::swap(&mut self.losers[node], &mut winner);
            }
            node /= 2;
        }
        self.winner = winner;
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
            let mut tree =
                LoserTree::new(players.len(), |a, b| head(&players, a) < head(&players, b));
            let mut seen = Vec::new();
            loop {
                let winner = tree.winner();
                let runner_up =
                    tree.runner_up(|a, b| head(&players, a) < head(&players, b));
                let others = (0..players.len()).filter(|&i| i != winner);
                prop_assert_eq!(runner_up, others.min_by_key(|&i| head(&players, i)));
                let Some(value) = players[winner].pop() else { break };
                seen.push(value);
                tree.replay(|a, b| head(&players, a) < head(&players, b));
            }
            prop_assert_eq!(seen, expected);
        }
    }
}
