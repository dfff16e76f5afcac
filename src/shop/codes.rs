//! Stable codes of errors, by which clients and pages distinguish refusals.

use serde::{Serialize, Serializer};
use std::fmt;

macro_rules! codes {
    ($($code:ident = $text:literal,)+) => {
        /// Stable code of an error.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "testing", schema(rename_all = "snake_case"))]
        pub enum Code {
            $(#[doc = concat!("`", $text, "`")] $code,)+
        }

        impl Code {
            /// Every code, in alphabetical order.
            pub const ALL: &[Self] = &[$(Self::$code,)+];

            /// Returns the code as sent to clients.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $text,)+
                }
            }
        }
    };
}

codes! {
    AboveLargestCharge = "above_largest_charge",
    AlreadyResolved = "already_resolved",
    AlreadyShown = "already_shown",
    AmountTooLarge = "amount_too_large",
    BelowPromised = "below_promised",
    BelowSmallestCharge = "below_smallest_charge",
    BodyTooLarge = "body_too_large",
    CartEmpty = "cart_empty",
    CartInCheckout = "cart_in_checkout",
    CatalogNotCopied = "catalog_not_copied",
    CheckoutInterrupted = "checkout_interrupted",
    CodeEnded = "code_ended",
    CodeNotMet = "code_not_met",
    CodeNotStarted = "code_not_started",
    CodeUsedUp = "code_used_up",
    Contended = "contended",
    ControlCharacter = "control_character",
    CopiesUnavailable = "copies_unavailable",
    CredentialsRequired = "credentials_required",
    CrossSite = "cross_site",
    CursorExpired = "cursor_expired",
    DatabaseUnavailable = "database_unavailable",
    DuplicateCode = "duplicate_code",
    DuplicateCurrency = "duplicate_currency",
    DuplicateId = "duplicate_id",
    ExportOutdated = "export_outdated",
    HandleTaken = "handle_taken",
    IdempotencyKeyRequired = "idempotency_key_required",
    IdempotencyKeyReused = "idempotency_key_reused",
    InternalError = "internal_error",
    Invalid = "invalid",
    InvalidAddress = "invalid_address",
    InvalidAmount = "invalid_amount",
    InvalidAvailability = "invalid_availability",
    InvalidCartToken = "invalid_cart_token",
    InvalidClass = "invalid_class",
    InvalidCode = "invalid_code",
    InvalidCompound = "invalid_compound",
    InvalidCountry = "invalid_country",
    InvalidCurrency = "invalid_currency",
    InvalidEmail = "invalid_email",
    InvalidId = "invalid_id",
    InvalidImage = "invalid_image",
    InvalidImport = "invalid_import",
    InvalidInstant = "invalid_instant",
    InvalidLimit = "invalid_limit",
    InvalidNote = "invalid_note",
    InvalidNumber = "invalid_number",
    InvalidOptions = "invalid_options",
    InvalidPhone = "invalid_phone",
    InvalidPlace = "invalid_place",
    InvalidPostalCode = "invalid_postal_code",
    InvalidPrice = "invalid_price",
    InvalidQuantity = "invalid_quantity",
    InvalidRange = "invalid_range",
    InvalidRate = "invalid_rate",
    InvalidReason = "invalid_reason",
    InvalidRegion = "invalid_region",
    InvalidRounding = "invalid_rounding",
    InvalidRow = "invalid_row",
    InvalidSettings = "invalid_settings",
    InvalidSignature = "invalid_signature",
    InvalidSkus = "invalid_skus",
    InvalidSort = "invalid_sort",
    InvalidStatus = "invalid_status",
    InvalidText = "invalid_text",
    InvalidThreshold = "invalid_threshold",
    InvalidUrl = "invalid_url",
    InvalidVariants = "invalid_variants",
    InvalidVatNumber = "invalid_vat_number",
    MalformedBody = "malformed_body",
    MalformedCursor = "malformed_cursor",
    MalformedEvent = "malformed_event",
    MalformedHeader = "malformed_header",
    MalformedJson = "malformed_json",
    MalformedPath = "malformed_path",
    MediaInUse = "media_in_use",
    MethodNotAllowed = "method_not_allowed",
    NotConfigured = "not_configured",
    NotFound = "not_found",
    NotNow = "not_now",
    NotShippedThere = "not_shipped_there",
    NotSoldInCurrency = "not_sold_in_currency",
    NoteTooLong = "note_too_long",
    NothingToImport = "nothing_to_import",
    ObjectUnavailable = "object_unavailable",
    OneChange = "one_change",
    OrderBusy = "order_busy",
    OverLimit = "over_limit",
    OverlappingMarkets = "overlapping_markets",
    OverlappingPrices = "overlapping_prices",
    OverlappingRates = "overlapping_rates",
    OverlappingTiers = "overlapping_tiers",
    OverlappingZones = "overlapping_zones",
    Overloaded = "overloaded",
    PaymentDisputed = "payment_disputed",
    PaymentsNotConfigured = "payments_not_configured",
    PaymentsOverloaded = "payments_overloaded",
    PaymentsUnavailable = "payments_unavailable",
    PermissionRequired = "permission_required",
    PhoneRequired = "phone_required",
    ProductsChanged = "products_changed",
    PromotionContended = "promotion_contended",
    PromotionNotAvailable = "promotion_not_available",
    PromotionUsedUp = "promotion_used_up",
    PublishEnded = "publish_ended",
    PublishInProgress = "publish_in_progress",
    QuoteChanged = "quote_changed",
    QuoteExpired = "quote_expired",
    RefundExceedsCaptured = "refund_exceeds_captured",
    RefundUnderWay = "refund_under_way",
    RequestUnderWay = "request_under_way",
    Required = "required",
    SettingsBusy = "settings_busy",
    SkuTaken = "sku_taken",
    SoldOut = "sold_out",
    StaffOnly = "staff_only",
    StaleVersion = "stale_version",
    TooLong = "too_long",
    TooManyCodes = "too_many_codes",
    TooManyFailedCodes = "too_many_failed_codes",
    TooManyLines = "too_many_lines",
    TooManyOptions = "too_many_options",
    TooManyPendingOrders = "too_many_pending_orders",
    TooManyRequests = "too_many_requests",
    TooManyTries = "too_many_tries",
    TooManyUnprovedOrders = "too_many_unproved_orders",
    TooManyWatchers = "too_many_watchers",
    TransitionNotAllowed = "transition_not_allowed",
    UnknownCode = "unknown_code",
    UnknownCurrency = "unknown_currency",
    UnknownField = "unknown_field",
    UnknownQuote = "unknown_quote",
    UnknownShippingMethod = "unknown_shipping_method",
    UnknownSku = "unknown_sku",
    UnknownStatus = "unknown_status",
    UnsupportedMediaType = "unsupported_media_type",
    VersionNotKept = "version_not_kept",
    WebsocketExpected = "websocket_expected",
    WrongAccount = "wrong_account",
    WrongCode = "wrong_code",
    WrongMode = "wrong_mode",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_its_name_in_snake_case_and_stands_in_order() {
        let snake = |code: &Code| {
            format!("{code:?}")
                .chars()
                .flat_map(|letter| {
                    let before = letter.is_ascii_uppercase().then_some('_');
                    before.into_iter().chain([letter.to_ascii_lowercase()])
                })
                .skip(1)
                .collect::<String>()
        };
        for code in Code::ALL {
            assert_eq!(code.as_str(), snake(code));
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
        assert!(Code::ALL.is_sorted_by_key(|code| code.as_str()));
    }
}
