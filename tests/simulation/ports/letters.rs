//! The email queue, which may lose messages, and a mail provider that honours idempotency keys.

use crate::planted::Bug;
use crate::ports::Sim;
use shop::error::{Error, Result};
use shop::messages::email::{EmailJob, LinkRequest, MailKind, Message};
use shop::messages::mail::{Mail, MailFailure, MailProvider};

impl Mail for Sim {
    async fn ask_for_link(&self, request: &LinkRequest) -> Result<()> {
        unreachable!("no actor asks for {request:?}")
    }

    async fn post(&self, letter: &EmailJob) -> Result<()> {
        let letter = letter.clone();
        self.call(format!("letter about {}", letter.order_id), move |world| {
            world.letters.borrow_mut().push(letter.clone());
        })
        .await
        .map_err(Error::internal)
    }
}

impl MailProvider for Sim {
    async fn send(
        &self,
        idempotency_key: &str,
        letter: &EmailJob,
        _message: &Message,
    ) -> Result<(), MailFailure> {
        let key = match self.0.bug {
            Some(Bug::LetterWithoutKey) => self.0.name(idempotency_key),
            _ => idempotency_key.to_owned(),
        };
        let is_confirmation = letter.kind == MailKind::OrderConfirmation;
        let order_id = letter.order_id.as_str().to_owned();
        self.call(format!("send {key}"), move |world| {
            let is_new = world.sent.borrow_mut().insert(key.clone());
            if is_new && is_confirmation {
                let mut mails = world.mails.borrow_mut();
                *mails.entry(order_id.clone()).or_default() += 1;
            }
        })
        .await
        .map_err(MailFailure::Unknown)
    }
}
