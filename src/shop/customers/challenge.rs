//! The challenge of checkout: a browser solves it, and shows the solution with its order as a proof
//! that no program floods the shop. Off, unless the merchant turns it on.
//!
//! Nobody is kept out for want of a proof: there are browsers without JavaScript, and a provider of
//! challenges may be away. An order without one is counted in a stricter class
//! ([`crate::checkout::pending::MAX_UNPROVED`]); one with a proof is lifted above the number of
//! orders that may be pending from its network.

use crate::values::ids::derived_uuid;

/// Longest solution that is worth a question.
const MAX_TOKEN_BYTES: usize = 2048;

/// A solution as a request shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// Token that the provider gave the browser; it is good for one order.
    pub token: String,
    /// Address that the request comes from; empty when that is not known.
    pub address: String,
}

impl Solution {
    /// The solution with this token; none for one that can be none.
    #[must_use]
    pub fn read(token: &str, address: String) -> Option<Self> {
        let fits = (1..=MAX_TOKEN_BYTES).contains(&token.len());
        let is_text = token.bytes().all(|byte| byte.is_ascii_graphic());
        (fits && is_text).then(|| Self {
            token: token.to_owned(),
            address,
        })
    }
}

/// Widget that a page shows the challenge by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widget<'a> {
    /// Names it to its provider; public.
    pub site_key: &'a str,
    /// Name of its solutions, so that those of another form are worth nothing here.
    pub action: &'a str,
    /// Origin of its frame and its script.
    pub origin: &'a str,
    /// Address of its script.
    pub script: &'a str,
}

/// The provider of challenges.
pub trait Challenge {
    /// Judges a solution: true for a good one. Of a provider that does not answer none is, and
    /// operators are told. A solution is good once for each `use_id`, a UUID, and again for the
    /// same.
    async fn accepts(&self, solution: &Solution, use_id: &str) -> bool;
}

/// Standing of an order to the challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The shop asks for none.
    NotAsked,
    /// It has shown one.
    Shown,
    /// It has shown none that is good.
    Missing,
}

/// Asks the provider, where there is something to ask. `used_for` names what the solution is shown
/// for: a repeat names the same.
pub async fn proof_of(
    challenge: Option<impl Challenge>,
    solution: Option<&Solution>,
    used_for: &str,
) -> Proof {
    let Some(challenge) = challenge else {
        return Proof::NotAsked;
    };
    let Some(solution) = solution else {
        return Proof::Missing;
    };
    let use_id = derived_uuid(&format!("{used_for}\0{}", solution.token));
    if challenge.accepts(solution, &use_id).await {
        return Proof::Shown;
    }
    Proof::Missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    #[derive(Default)]
    struct Provider(RefCell<Vec<String>>);

    impl Challenge for &Provider {
        async fn accepts(&self, solution: &Solution, use_id: &str) -> bool {
            self.0.borrow_mut().push(use_id.to_owned());
            solution.token == "good"
        }
    }

    #[test]
    fn only_a_good_solution_is_a_proof_and_only_a_shop_that_asks_wants_one() {
        let provider = Provider::default();
        let solution = |token| Solution::read(token, String::new());
        for (asks, token, used_for, proof) in [
            (false, "good", "one", Proof::NotAsked),
            (false, "", "one", Proof::NotAsked),
            (true, "", "one", Proof::Missing),
            (true, "good", "one", Proof::Shown),
            (true, "good", "one", Proof::Shown),
            (true, "good", "other", Proof::Shown),
            (true, "bad", "one", Proof::Missing),
        ] {
            let solution = solution(token);
            let told = proof_of(asks.then_some(&provider), solution.as_ref(), used_for);
            assert_eq!(told.now_or_never(), Some(proof), "{asks} {token}");
        }
        let asked = provider.0.borrow();
        let [first, again, elsewhere, bad] = asked.as_slice() else {
            panic!("{asked:?}");
        };
        assert_eq!(first, again);
        let different: BTreeSet<&String> = [first, elsewhere, bad].into();
        assert_eq!(different.len(), 3);
    }

    #[test]
    fn what_can_be_no_solution_is_not_asked_about() {
        for token in ["", "two words", "ä", "a\nb", &"x".repeat(2049)] {
            assert_eq!(Solution::read(token, String::new()), None);
        }
        assert!(Solution::read(&"x".repeat(2048), String::new()).is_some());
    }
}
