//! The outcome of a write that was judged on what may have changed since.

/// The outcome of a write that must not overwrite another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written<T = ()> {
    /// It landed; what it made.
    Landed(T),
    /// Another write was first; read again and decide again.
    Lost,
}
