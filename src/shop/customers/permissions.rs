//! Permissions of staff: what a route for them asks for, and what a key grants.

use std::collections::BTreeSet;

/// One kind of work that staff may be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Products as they are recorded, their media, exports and publishes.
    ReadCatalog,
    /// Changes to products, their media and scheduled prices, imports included.
    ChangeCatalog,
    /// Publishing the catalog, cancelling that, and going back to an earlier version.
    PublishCatalog,
    /// Stock, its movements and its check.
    ReadStock,
    /// Changes to stock and its policy, and its repair.
    ChangeStock,
    /// Settings as they are.
    ReadSettings,
    /// Changes to the settings.
    ChangeSettings,
    /// Every order, with its notes.
    ReadOrders,
    /// Changes to the status of an order, cancelling included.
    ChangeOrders,
    /// Recording parcels and returned goods.
    FulfillOrders,
    /// Refunding money.
    RefundOrders,
    /// Payments, and the state of the payment provider.
    ReadPayments,
    /// Findings, and the state of each part of the shop.
    ReadFindings,
    /// Closing findings.
    CloseFindings,
    /// Dead letters.
    ReadDeadLetters,
    /// Replaying and discarding dead letters.
    HandleDeadLetters,
}

/// Permissions that a key grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permissions {
    /// Every one, those that are yet to come included.
    All,
    /// These alone.
    Only(BTreeSet<Permission>),
}

impl Permissions {
    /// True when `permission` is among them.
    #[must_use]
    pub fn include(&self, permission: Permission) -> bool {
        match self {
            Self::All => true,
            Self::Only(granted) => granted.contains(&permission),
        }
    }
}
