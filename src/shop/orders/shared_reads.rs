//! Reads shared by the requests of one isolate. On this platform, no request may wait for a promise
//! of another, but all may look at the isolate's memory. So each request waits by its own timer,
//! one at a time reads for all of them, and leaves the results in memory. Pure: time is an
//! argument.
//!
//! The request that reads may die on the way without anyone noticing. A little later, another
//! waiting request then reads again.

use durable::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;

/// Milliseconds between the starts of two reads.
pub const READ_EVERY_MS: i64 = 2_000;

/// Milliseconds after which an unfinished read counts as lost.
const LOST_AFTER_MS: i64 = 3_000;

/// Milliseconds that any request waits at most.
const PATIENCE_MS: i64 = 8_000;

/// Milliseconds between checks for the result of a read in progress.
const LOOK_EVERY_MS: i64 = 100;

/// Maximum number of keys in one read: twice what 5,000 waiting pages ask for between two reads.
pub const MAX_KEYS: usize = 2_000;

/// Values read on behalf of all requests, by key.
#[derive(Debug)]
pub struct SharedReads<V> {
    wanted: BTreeSet<String>,
    reading: Option<Reading>,
    last_began_at: Option<Timestamp>,
    found: BTreeMap<String, (Timestamp, V)>,
}

#[derive(Debug)]
struct Reading {
    began_at: Timestamp,
    keys: BTreeSet<String>,
}

/// Next step for a waiting request.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn<V> {
    /// The value.
    Found(V),
    /// Read these keys on behalf of all, then report the result.
    Read(Vec<String>),
    /// Ask again after this many milliseconds.
    Wait(u32),
    /// Give up: there are too many requests, or no result came in time.
    GiveUp,
}

impl<V> Default for SharedReads<V> {
    fn default() -> Self {
        Self {
            wanted: BTreeSet::new(),
            reading: None,
            last_began_at: None,
            found: BTreeMap::new(),
        }
    }
}

impl<V: Clone> SharedReads<V> {
    /// Returns the next step for a request that has been waiting for `key` since `asked_at`.
    pub fn turn(&mut self, key: &str, asked_at: Timestamp, now: Timestamp) -> Turn<V> {
        if let Some((began_at, value)) = self.found.get(key)
            && *began_at >= asked_at
        {
            return Turn::Found(value.clone());
        }
        if millis_since(asked_at, now) >= PATIENCE_MS {
            return Turn::GiveUp;
        }
        if self.is_read_for(key, asked_at, now) {
            return wait(LOOK_EVERY_MS);
        }
        if !self.wanted.contains(key) {
            if self.wanted.len() >= MAX_KEYS {
                return Turn::GiveUp;
            }
            self.wanted.insert(key.to_owned());
        }
        let pause = self.pause(now);
        if pause > 0 {
            return wait(pause);
        }
        Turn::Read(self.begin(now))
    }

    /// Stores the result of the read that began at `began_at`, for all who asked before it. Keys of
    /// the read that were not found get the value `none`.
    pub fn end(&mut self, began_at: Timestamp, found: Vec<(String, V)>, none: &V) {
        let Some(reading) = self.reading.take_if(|it| it.began_at == began_at) else {
            return;
        };
        let missing = reading.keys.into_iter().map(|key| (key, none.clone()));
        for (key, value) in missing.chain(found) {
            self.found.insert(key, (began_at, value));
        }
    }

    /// Discards the read that began at `began_at`; one of the waiting requests will read again.
    pub fn fail(&mut self, began_at: Timestamp) {
        self.reading.take_if(|it| it.began_at == began_at);
    }

    fn is_read_for(&self, key: &str, asked_at: Timestamp, now: Timestamp) -> bool {
        self.reading.as_ref().is_some_and(|reading| {
            reading.is_alive(now) && reading.began_at >= asked_at && reading.keys.contains(key)
        })
    }

    /// Returns the milliseconds until the next read may begin.
    fn pause(&self, now: Timestamp) -> i64 {
        let left = |since: Timestamp, millis: i64| millis.saturating_sub(millis_since(since, now));
        let is_read = self.reading.as_ref().is_some_and(|it| it.is_alive(now));
        let until_next = self
            .last_began_at
            .map_or(0, |began_at| left(began_at, READ_EVERY_MS));
        until_next.max(if is_read { LOOK_EVERY_MS } else { 0 })
    }

    fn begin(&mut self, now: Timestamp) -> Vec<String> {
        self.found
            .retain(|_, (began_at, _)| millis_since(*began_at, now) < PATIENCE_MS);
        let keys = take(&mut self.wanted);
        let listed = keys.iter().cloned().collect();
        self.last_began_at = Some(now);
        self.reading = Some(Reading {
            began_at: now,
            keys,
        });
        listed
    }
}

impl Reading {
    const fn is_alive(&self, now: Timestamp) -> bool {
        millis_since(self.began_at, now) < LOST_AFTER_MS
    }
}

const fn millis_since(then: Timestamp, now: Timestamp) -> i64 {
    now.as_millis().saturating_sub(then.as_millis())
}

fn wait<V>(millis: i64) -> Turn<V> {
    Turn::Wait(u32::try_from(millis).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::standing::{PAUSES_SECS, WATCHED_SECS};
    use proptest::prelude::*;
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn reads(keys: &[&str]) -> Turn<u32> {
        Turn::Read(keys.iter().map(|key| (*key).to_owned()).collect())
    }

    #[test]
    fn the_first_reads_at_once_and_the_next_read_is_for_all() {
        let mut shared = SharedReads::default();
        assert_eq!(shared.turn("a", at(0), at(0)), reads(&["a"]));
        shared.end(at(0), vec![("a".into(), 7)], &0);
        assert_eq!(shared.turn("a", at(0), at(30)), Turn::Found(7));
        assert_eq!(shared.turn("b", at(100), at(100)), Turn::Wait(1_900));
        assert_eq!(shared.turn("a", at(500), at(500)), Turn::Wait(1_500));
        assert_eq!(shared.turn("b", at(100), at(2_000)), reads(&["a", "b"]));
        assert_eq!(shared.turn("a", at(500), at(2_001)), Turn::Wait(100));
        shared.end(at(2_000), vec![("a".into(), 8)], &0);
        assert_eq!(shared.turn("a", at(500), at(2_101)), Turn::Found(8));
        assert_eq!(shared.turn("b", at(100), at(2_030)), Turn::Found(0));
    }

    #[test]
    fn who_asks_while_a_read_is_on_its_way_is_answered_by_the_next() {
        let mut shared = SharedReads::default();
        assert_eq!(shared.turn("a", at(0), at(0)), reads(&["a"]));
        assert_eq!(shared.turn("a", at(1), at(1)), Turn::Wait(1_999));
        shared.end(at(0), vec![("a".into(), 7)], &0);
        assert_eq!(shared.turn("a", at(1), at(2_000)), reads(&["a"]));
    }

    #[test]
    fn a_read_that_is_lost_or_fails_is_made_anew_by_who_still_waits() {
        let mut shared = SharedReads::default();
        assert_eq!(shared.turn("a", at(0), at(0)), reads(&["a"]));
        assert_eq!(shared.turn("b", at(10), at(2_000)), Turn::Wait(100));
        assert_eq!(shared.turn("a", at(0), at(2_999)), Turn::Wait(100));
        assert_eq!(shared.turn("a", at(0), at(3_000)), reads(&["a", "b"]));
        shared.fail(at(3_000));
        assert_eq!(shared.turn("b", at(10), at(3_100)), Turn::Wait(1_900));
        assert_eq!(shared.turn("b", at(10), at(5_000)), reads(&["b"]));
        shared.end(at(0), vec![("a".into(), 7)], &0);
        shared.end(at(3_000), vec![("b".into(), 7)], &0);
        assert_eq!(shared.turn("b", at(10), at(5_010)), Turn::Wait(100));
        assert_eq!(shared.turn("b", at(10), at(8_010)), Turn::GiveUp);
    }

    #[test]
    fn what_is_wanted_and_what_is_kept_have_a_bound() {
        let mut shared = SharedReads::default();
        let mut turns = (0..3 * MAX_KEYS).map(|key| shared.turn(&key.to_string(), at(0), at(1)));
        assert!(matches!(turns.next(), Some(Turn::Read(_))));
        let refused = turns.filter(|turn| *turn == Turn::GiveUp).count();
        assert_eq!(refused, 2 * MAX_KEYS - 1);
        let mut most = 0;
        for second in (4..40).map(|second| second * 1_000) {
            for key in 0..1_000 {
                let turn = shared.turn(&format!("{second}-{key}"), at(second), at(second));
                if let Turn::Read(keys) = turn {
                    let found = keys.into_iter().map(|key| (key, 1)).collect();
                    shared.end(at(second), found, &0);
                }
            }
            most = most.max(shared.found.len());
        }
        assert!(most <= 5 * MAX_KEYS, "{most}");
    }

    /// Returns the pauses of one page in seconds, over the time that it waits.
    fn pauses() -> impl Iterator<Item = u32> {
        let last = PAUSES_SECS.last().copied().unwrap();
        let mut spent = 0;
        let all = PAUSES_SECS.into_iter().chain(std::iter::repeat(last));
        all.take_while(move |pause| {
            spent += pause;
            spent <= WATCHED_SECS
        })
    }

    #[test]
    fn a_page_asks_six_times_a_minute() {
        assert_eq!(pauses().count(), 182);
        assert!(PAUSES_SECS.is_sorted());
    }

    /// Counts the reads in each second while `pages` wait, each for its own order, placed within
    /// half a minute, and each request reaches any of `isolates`. Runs the real machine, with reads
    /// that take `read_ms`.
    fn reads_of_each_second(pages: usize, isolates: usize, read_ms: i64, secs: i64) -> Vec<u32> {
        let mut shared: Vec<SharedReads<u32>> = (0..isolates).map(|_| Default::default()).collect();
        let mut counts = vec![0_u32; usize::try_from(secs).unwrap()];
        let mut random = Random(7);
        let mut events: BinaryHeap<Reverse<(i64, usize, Event)>> = (0..pages)
            .map(|page| {
                let placed_at = i64::try_from(random.below(30_000)).unwrap();
                Reverse((placed_at + random.pause(0), page, Event::Asks { times: 0 }))
            })
            .collect();
        while let Some(Reverse((now, page, event))) = events.pop() {
            if now >= secs * 1_000 {
                break;
            }
            let (since, place, times) = match event {
                Event::Asks { times } => (now, random.below(isolates), times),
                Event::Waits {
                    since,
                    place,
                    times,
                } => (since, place, times),
                Event::Ends { place, began_at } => {
                    shared[place].end(at(began_at), vec![], &1);
                    continue;
                }
            };
            let next = match shared[place].turn(&page.to_string(), at(since), at(now)) {
                Turn::Found(_) => {
                    assert!(now - since <= READ_EVERY_MS + 2 * read_ms + LOOK_EVERY_MS);
                    let times = times + 1;
                    (now + random.pause(times), page, Event::Asks { times })
                }
                Turn::Wait(millis) => {
                    let waits = Event::Waits {
                        since,
                        place,
                        times,
                    };
                    (now + i64::from(millis), page, waits)
                }
                Turn::Read(_) => {
                    counts[usize::try_from(now / 1_000).unwrap()] += 1;
                    let ends = Event::Ends {
                        place,
                        began_at: now,
                    };
                    events.push(Reverse((now + read_ms, page, ends)));
                    (
                        now + read_ms + 1,
                        page,
                        Event::Waits {
                            since,
                            place,
                            times,
                        },
                    )
                }
                Turn::GiveUp => panic!("{page} was not answered"),
            };
            events.push(Reverse(next));
        }
        counts
    }

    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    enum Event {
        Asks {
            times: usize,
        },
        Waits {
            since: i64,
            place: usize,
            times: usize,
        },
        Ends {
            place: usize,
            began_at: i64,
        },
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(self.0 >> 33).unwrap() % bound
        }

        /// Returns milliseconds, up to a fifth more or less.
        fn pause(&mut self, times: usize) -> i64 {
            let secs = PAUSES_SECS.get(times).or(PAUSES_SECS.last()).unwrap();
            let fifth = usize::try_from(*secs).unwrap() * 200;
            i64::try_from(4 * fifth + self.below(2 * fifth)).unwrap()
        }
    }

    #[test]
    fn five_thousand_waiting_pages_cost_fifty_reads_a_second() {
        for isolates in [1, 10, 100] {
            let counts = reads_of_each_second(5_000, isolates, 40, 90);
            let in_two_secs = counts.windows(2).map(|two| two.iter().sum::<u32>());
            assert!(
                in_two_secs.max() <= Some(2 * 50),
                "{isolates} isolates: {counts:?}"
            );
        }
    }

    proptest! {
        /// In any interleaving, reads begin a minimum time apart, and nobody gets a value older
        /// than their request.
        #[test]
        fn reads_stay_apart_and_are_never_old(
            steps in prop::collection::vec((0_i64..1_500, "[a-c]", 0_u8..4), 0..80)
        ) {
            let mut shared = SharedReads::default();
            let (mut now, mut began) = (0, Vec::<i64>::new());
            let mut asked: Vec<(String, i64)> = vec![];
            for (pause, key, does) in steps {
                now += pause;
                match (does, began.last()) {
                    (0, Some(last)) => shared.fail(at(*last)),
                    (1, Some(last)) => shared.end(at(*last), vec![], last),
                    _ => asked.push((key, now)),
                }
                asked.retain(|(key, since)| match shared.turn(key, at(*since), at(now)) {
                    Turn::Found(began_at) => {
                        assert!(began_at >= *since, "{began_at} for {since}");
                        false
                    }
                    Turn::GiveUp => {
                        assert!(now - since >= PATIENCE_MS);
                        false
                    }
                    Turn::Wait(_) => true,
                    Turn::Read(keys) => {
                        assert!(keys.contains(key));
                        assert!(began.last().is_none_or(|last| now - last >= READ_EVERY_MS));
                        began.push(now);
                        true
                    }
                });
            }
        }
    }
}
