//! Outcome of a conditional write.

/// Outcome of a write that must not overwrite another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written<T = ()> {
    /// The write succeeded; carries its result.
    Landed(T),
    /// Another write came first; read again and decide again.
    Lost,
}
