//! Order lookup without a link. The response is the same whatever was typed, so that it reveals
//! nothing.

use crate::web::http::call::{Call, Form};
use crate::web::http::guard;
use crate::web::http::order_token::keep_open;
use crate::web::http::reply::Reply;
use crate::web::pages::fields::{Field, Typed};
use crate::web::pages::icons::{LETTER, icon};
use crate::web::pages::layout::page;
use crate::web::pages::visit::PageContext;
use maud::{Markup, html};
use shop::error::{Error, FieldError, Result};
use shop::messages::order_link::request_order_link;
use shop::orders::codes::find_by_code;
use shop::orders::links::status_path;
use shop::settlement::ports::SettlementPorts;

/// `GET /orders`: the lookup form. `?sent` is set after a request was accepted, `?by=code` shows
/// the form for visitors with an email of the order at hand.
///
/// # Errors
/// 422 `unknown_currency`.
pub async fn ask(call: &mut Call<'_>) -> Result<Reply> {
    let visit = PageContext::of(call).await?;
    if call.query("by").as_deref() == Some("code") {
        let title = visit.texts().open_your_order;
        let content = code_form(&visit, title, &Form(vec![]), &[]);
        return Ok(page(200, &visit, title, &content));
    }
    if call.query("sent").is_none() {
        return Ok(form_page(&visit, 200, &Form(vec![]), &[]));
    }
    let texts = visit.texts();
    let content = html! {
        section class="empty" {
            (icon(LETTER))
            h1 { (texts.look_into_your_mail) }
            p { (texts.link_is_sent) }
            p { a class="button secondary" href=(visit.link("/orders")) { (texts.try_another) } }
        }
    };
    Ok(page(200, &visit, texts.find_your_order, &content))
}

/// `POST /orders` with `number` and `email`: requests an order link by email.
///
/// # Errors
/// Fails if the request can't be queued.
pub async fn send(call: &mut Call<'_>) -> Result<Reply> {
    let visit = PageContext::of(call).await?.at("/orders");
    let form = call.form().await?;
    let (number, email) = (form.get("number"), form.get("email"));
    match request_order_link(&call.app.mail(), number, email, visit.language).await {
        Ok(()) => Ok(Reply::see_other(visit.link("/orders?sent"))),
        Err(Error::Invalid(errors)) => Ok(form_page(&visit, 422, &form, &errors)),
        Err(error) => Err(error),
    }
}

/// `POST /orders/code` with `number` and `order_code`: redirects to the order, which then stays
/// accessible in this browser.
///
/// # Errors
/// 429 after too many guesses.
pub async fn open(call: &mut Call<'_>) -> Result<Reply> {
    let visit = PageContext::of(call).await?.at("/orders");
    let form = call.form().await?;
    let network = guard::network(call);
    let (tries, links) = (call.app.order_code_tries(), call.app.order_links());
    let typed = (form.get("number"), form.get("order_code"));
    match find_by_code(&tries, &links, typed, &network, call.app.now).await {
        Ok(id) => {
            let there = Reply::see_other(visit.link(&status_path(&id)));
            Ok(keep_open(there, call, &id))
        }
        Err(Error::Invalid(errors)) => {
            let title = visit.texts().open_your_order;
            let content = code_form(&visit, title, &form, &errors);
            Ok(page(422, &visit, title, &content))
        }
        Err(error) => Err(error),
    }
}

/// Renders the form for visitors who have an email of the order at hand.
pub fn code_form(visit: &PageContext, title: &str, form: &Form, errors: &[FieldError]) -> Markup {
    let texts = visit.texts();
    let fields = [
        Field::new("number", texts.order_number_field, "off", true),
        Field::new("order_code", texts.order_code, "off", true),
    ];
    let names = fields.each_ref().map(|field| field.name).to_vec();
    let typed = Typed::new(texts, form, errors, names);
    html! {
        form class="stack narrow-page" method="post" action=(visit.link("/orders/code")) novalidate {
            h1 { (title) }
            p { (texts.open_your_order_hint) }
            @for field in &fields { (typed.text_field(field)) }
            button class="wide" { (texts.open_the_order) }
        }
    }
}

fn form_page(visit: &PageContext, status: u16, form: &Form, errors: &[FieldError]) -> Reply {
    let texts = visit.texts();
    let fields = [
        Field::new("number", texts.order_number_field, "off", true),
        Field::new("email", texts.email, "email", true),
    ];
    let typed = Typed::new(
        texts,
        form,
        errors,
        fields.each_ref().map(|field| field.name).to_vec(),
    );
    let content = html! {
        form class="stack narrow-page" method="post" action=(visit.link("/orders")) novalidate {
            h1 { (texts.find_your_order) }
            p { (texts.find_your_order_hint) }
            @for field in &fields { (typed.text_field(field)) }
            button class="wide" { (texts.send_the_link) }
            p class="quiet" { a href=(visit.link("/orders?by=code")) { (texts.have_a_code) } }
        }
    };
    page(status, visit, texts.find_your_order, &content)
}
