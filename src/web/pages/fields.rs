//! Form fields: typed values are kept, errors are shown beside their fields, and the first error
//! gets the focus. Works the same with and without a script.

use crate::web::http::call::Form;
use crate::web::pages::locale::texts::Texts;
use maud::{Markup, html};
use shop::error::FieldError;

/// Prefix of the field names of a billing address.
pub const BILLING: &str = "billing_";

/// A field with its name, label, `autocomplete` value, and whether it is required.
pub struct Field {
    /// Name of the field in the submitted form.
    pub name: &'static str,
    label: &'static str,
    /// `autocomplete` value, which tells browsers what to fill in.
    pub autocomplete: &'static str,
    required: bool,
    group: Option<&'static str>,
}

impl Field {
    /// Creates a field.
    #[must_use]
    pub const fn new(
        name: &'static str,
        label: &'static str,
        autocomplete: &'static str,
        required: bool,
    ) -> Self {
        Self {
            name,
            label,
            autocomplete,
            required,
            group: None,
        }
    }

    /// Returns the same field as part of a group, whose name distinguishes it from another field
    /// with the same label.
    #[must_use]
    pub const fn of(self, group: &'static str) -> Self {
        Self {
            group: Some(group),
            ..self
        }
    }
}

/// A form that was filled in, and its errors.
pub(super) struct Typed<'a> {
    pub(super) texts: &'static Texts,
    pub(super) form: &'a Form,
    errors: &'a [FieldError],
    /// Name of the first field with an error, from the top of the page.
    pub(super) first_fault: Option<&'static str>,
    names: Vec<&'static str>,
}

impl<'a> Typed<'a> {
    /// Creates the form; `names` are the fields from the top of the page down.
    pub(super) fn new(
        texts: &'static Texts,
        form: &'a Form,
        errors: &'a [FieldError],
        names: Vec<&'static str>,
    ) -> Self {
        let is_faulty = |name: &&str| errors.iter().any(|error| is_of(&error.field, name));
        Self {
            texts,
            form,
            errors,
            first_fault: names.iter().copied().find(is_faulty),
            names,
        }
    }

    /// Returns the errors that belong to no field of the form.
    pub(super) fn elsewhere(&self) -> impl Iterator<Item = String> {
        let is_shown =
            |error: &&FieldError| self.names.iter().any(|name| is_of(&error.field, name));
        let errors = self.errors.iter();
        errors
            .filter(move |error| !is_shown(error))
            .map(|error| fault_text(self.texts, error))
    }

    /// Returns the error of a field.
    pub(super) fn fault(&self, name: &str) -> Option<String> {
        let error = self.errors.iter().find(|error| is_of(&error.field, name))?;
        Some(fault_text(self.texts, error))
    }

    /// Renders a field for one line of text.
    pub(super) fn text_field(&self, field: &Field) -> Markup {
        self.line_of_text(field, None)
    }

    /// Renders the same field, with suggestions from the list of that ID.
    pub(super) fn listed_field(&self, field: &Field, list: &str) -> Markup {
        self.line_of_text(field, Some(list))
    }

    fn line_of_text(&self, field: &Field, list: Option<&str>) -> Markup {
        let name = field.name;
        self.with_fault(field, |fault_id| html! {
            input id=(name) list=[list] type=(type_of(name)) name=(name) value=(self.form.get(name))
                autocomplete=(field.autocomplete) required[field.required] aria-invalid=[fault_id.map(|_| "true")]
                aria-describedby=[fault_id] autofocus[self.first_fault == Some(name)];
        })
    }

    /// Renders a field with its error beside it. The error describes the field rather than naming
    /// it, so that the label stays the field's name. `input` receives the ID of the error, if there
    /// is one.
    pub(super) fn with_fault(
        &self,
        field: &Field,
        input: impl FnOnce(Option<&str>) -> Markup,
    ) -> Markup {
        let name = field.name;
        let part = name.strip_prefix(BILLING).unwrap_or(name);
        let fault = self.fault(name);
        let fault_id = fault.as_ref().map(|_| format!("{name}-fault"));
        html! {
            div class=(format!("field {part}")) {
                label for=(name) { @if let Some(group) = field.group { span class="unseen" { (group) ": " } } (field.label) }
                (input(fault_id.as_deref()))
                @if let Some(fault) = fault { p class="fault" id=[fault_id] { (fault) } }
            }
        }
    }
}

/// Returns the input type, which selects the keyboard of a phone.
fn type_of(name: &str) -> &'static str {
    match name {
        "email" => "email",
        "phone" => "tel",
        _ => "text",
    }
}

/// Returns true if an error of `field`, the path within a request, concerns the input `name`.
fn is_of(field: &str, name: &str) -> bool {
    let (whole, part) = field.rsplit_once('.').unwrap_or(("", field));
    let is_billing = whole == "billing_address";
    match name.strip_prefix(BILLING) {
        Some(name) => is_billing && part == name,
        None if name == "code" => whole == "codes",
        None => !is_billing && part == name,
    }
}

/// Returns the text of an error for the visitor.
pub(super) fn fault_text(texts: &Texts, error: &FieldError) -> String {
    (texts.fault)(error.code).map_or_else(|| error.detail.clone(), str::to_owned)
}
