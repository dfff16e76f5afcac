//! Finding an order again without its link: the answer is the same whatever was typed.

use crate::error::{Error, FieldError, Result};
use crate::shop::orders::request_order_link;
use crate::shop::ports::Ports;
use crate::web::call::{Call, Form};
use crate::web::pages::fields::{Field, Typed};
use crate::web::pages::icons::{LETTER, icon};
use crate::web::pages::layout::{Visit, page};
use crate::web::reply::Reply;
use maud::html;

/// `GET /orders`; `?sent` after a wish was taken.
///
/// # Errors
/// 422 `unknown_currency`.
pub async fn ask(call: &mut Call<'_>) -> Result<Reply> {
    let visit = Visit::of(call).await?;
    if call.query("sent").is_none() {
        return Ok(form_page(&visit, 200, &Form(vec![]), &[]));
    }
    let words = visit.words();
    let content = html! {
        section class="empty" {
            (icon(LETTER))
            h1 { (words.look_into_your_mail) }
            p { (words.link_is_sent) }
            p { a class="button secondary" href=(visit.link("/orders")) { (words.try_another) } }
        }
    };
    Ok(page(200, &visit, words.find_your_order, &content))
}

/// `POST /orders` with `number` and `email`.
///
/// # Errors
/// When the wish can't be taken.
pub async fn send(call: &mut Call<'_>) -> Result<Reply> {
    let visit = Visit::of(call).await?.at("/orders");
    let form = call.form().await?;
    let (number, email) = (form.get("number"), form.get("email"));
    match request_order_link(&call.app.mail(), number, email, visit.language).await {
        Ok(()) => Ok(Reply::see_other(visit.link("/orders?sent"))),
        Err(Error::Invalid(errors)) => Ok(form_page(&visit, 422, &form, &errors)),
        Err(error) => Err(error),
    }
}

fn form_page(visit: &Visit, status: u16, form: &Form, errors: &[FieldError]) -> Reply {
    let words = visit.words();
    let fields = [
        Field::new("number", words.order_number_field, "off", true),
        Field::new("email", words.email, "email", true),
    ];
    let typed = Typed::new(
        words,
        form,
        errors,
        fields.each_ref().map(|field| field.name).to_vec(),
    );
    let content = html! {
        form class="stack narrow-page" method="post" action=(visit.link("/orders")) novalidate {
            h1 { (words.find_your_order) }
            p { (words.find_your_order_hint) }
            @for field in &fields { (typed.text_field(field)) }
            button class="wide" { (words.send_the_link) }
        }
    };
    page(status, visit, words.find_your_order, &content)
}
