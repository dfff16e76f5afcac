//! Fields of forms: what was typed stays, what is wrong stands beside it, and the first fault has
//! the focus. The same with a script and without one.

use crate::web::http::call::Form;
use crate::web::pages::locale::texts::Texts;
use maud::{Markup, html};
use shop::error::FieldError;

/// How the names of a billing address's fields begin.
pub const BILLING: &str = "billing_";

/// A field: its name, label, `autocomplete` words, and whether it is needed.
pub struct Field {
    /// As it is sent.
    pub name: &'static str,
    label: &'static str,
    /// What browsers may fill in.
    pub autocomplete: &'static str,
    required: bool,
    group: Option<&'static str>,
}

impl Field {
    /// A field.
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

    /// The same field of a group, whose name it is told apart by from another of its label.
    #[must_use]
    pub const fn of(self, group: &'static str) -> Self {
        Self {
            group: Some(group),
            ..self
        }
    }
}

/// A form that was filled in, and what is wrong with it.
pub(super) struct Typed<'a> {
    pub(super) texts: &'static Texts,
    pub(super) form: &'a Form,
    errors: &'a [FieldError],
    /// The field with the first fault, from the top of the page.
    pub(super) first_fault: Option<&'static str>,
    names: Vec<&'static str>,
}

impl<'a> Typed<'a> {
    /// `names` are the fields from the top of the page down.
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

    /// What is wrong beside the fields.
    pub(super) fn elsewhere(&self) -> impl Iterator<Item = String> {
        let is_shown =
            |error: &&FieldError| self.names.iter().any(|name| is_of(&error.field, name));
        let errors = self.errors.iter();
        errors
            .filter(move |error| !is_shown(error))
            .map(|error| fault_text(self.texts, error))
    }

    /// What is wrong with a field.
    pub(super) fn fault(&self, name: &str) -> Option<String> {
        let error = self.errors.iter().find(|error| is_of(&error.field, name))?;
        Some(fault_text(self.texts, error))
    }

    /// A field for a line of text.
    pub(super) fn text_field(&self, field: &Field) -> Markup {
        self.line_of_text(field, None)
    }

    /// The same with what the list of that id offers.
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

    /// A field with its fault beside it: described by it rather than named, so that the label stays
    /// the field's name. `input` is told the id of the fault, if there is one.
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

/// The keyboard that a phone shows.
fn type_of(name: &str) -> &'static str {
    match name {
        "email" => "email",
        "phone" => "tel",
        _ => "text",
    }
}

/// Whether a fault of `field`, the path of a request, is about the input `name`.
fn is_of(field: &str, name: &str) -> bool {
    let (whole, part) = field.rsplit_once('.').unwrap_or(("", field));
    let is_billing = whole == "billing_address";
    match name.strip_prefix(BILLING) {
        Some(name) => is_billing && part == name,
        None if name == "code" => whole == "codes",
        None => !is_billing && part == name,
    }
}

/// What is wrong with a field, as the visitor reads it.
pub(super) fn fault_text(texts: &Texts, error: &FieldError) -> String {
    (texts.fault)(error.code).map_or_else(|| error.detail.clone(), str::to_owned)
}
