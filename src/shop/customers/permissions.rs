//! Permissions of staff: required by routes, granted by keys.

use std::collections::BTreeSet;

/// A kind of work that staff may be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Read products in the record, their media, exports and publishes.
    ReadCatalog,
    /// Change products, their media and scheduled prices, including imports.
    ChangeCatalog,
    /// Publish the catalog, cancel a publish, and roll back to an earlier version.
    PublishCatalog,
    /// Read stock, its movements and its checks.
    ReadStock,
    /// Change stock and its policy, and repair it.
    ChangeStock,
    /// Read the settings.
    ReadSettings,
    /// Change the settings.
    ChangeSettings,
    /// Read all orders with their notes.
    ReadOrders,
    /// Change the status of orders, including cancellation.
    ChangeOrders,
    /// Record parcels and returns.
    FulfillOrders,
    /// Refund money.
    RefundOrders,
    /// Read payments and the state of the payment provider.
    ReadPayments,
    /// Read findings and the state of each part of the shop.
    ReadFindings,
    /// Close findings.
    CloseFindings,
    /// Read dead letters.
    ReadDeadLetters,
    /// Replay and discard dead letters.
    HandleDeadLetters,
}

/// Permissions that a key grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permissions {
    /// All permissions, including future ones.
    All,
    /// Only these permissions.
    Only(BTreeSet<Permission>),
}

impl Permissions {
    /// True if `permission` is granted.
    #[must_use]
    pub fn include(&self, permission: Permission) -> bool {
        match self {
            Self::All => true,
            Self::Only(granted) => granted.contains(&permission),
        }
    }
}
