//! Challenge at checkout. A browser solves it and sends the solution with its order, as evidence
//! that no program is flooding the shop. Off unless the merchant turns it on.
//!
//! Nobody is locked out for lack of a solution: some browsers have no JavaScript, and the challenge
//! provider may be down. An order without a solution is counted in a stricter class
//! ([`crate::checkout::pending::MAX_UNPROVED`]); one with a solution may exceed the usual number of
//! pending orders from its network.

use crate::values::ids::derived_uuid;

/// Maximum length of a token in bytes; longer ones are not sent to the provider.
const MAX_TOKEN_BYTES: usize = 2048;

/// A solution sent with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// Token that the provider gave the browser; valid for one order.
    pub token: String,
    /// IP address that the request comes from; empty if unknown.
    pub address: String,
}

impl Solution {
    /// Returns a solution with this token. `None` means that the token is malformed.
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

/// Widget by which a page shows the challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widget<'a> {
    /// Public key that identifies the shop to the provider.
    pub site_key: &'a str,
    /// Action name of the shop's solutions; solutions for another action are not accepted.
    pub action: &'a str,
    /// Origin of the widget's frame and script.
    pub origin: &'a str,
    /// URL of the widget's script.
    pub script: &'a str,
}

/// The challenge provider.
pub trait Challenge {
    /// Verifies a solution and returns true if it is valid. If the provider does not answer, no
    /// solution is valid, and operators are notified. A solution is valid for a single `use_id`, a
    /// UUID; verifying it again with the same one gives the same result.
    async fn accepts(&self, solution: &Solution, use_id: &str) -> bool;
}

/// Result of the challenge for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The shop requires no challenge.
    NotAsked,
    /// The order came with a valid solution.
    Shown,
    /// The order came without a valid solution.
    Missing,
}

/// Asks the provider about a solution, if there is one. `used_for` identifies the purpose of the
/// solution; a repeated request uses the same one.
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
