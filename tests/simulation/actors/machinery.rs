//! Machinery that runs by itself: webhooks that arrive late, twice, in any order or not at all; the
//! consumer of their queue; the cron.

use crate::actors::{letterhead, links};
use crate::planted::Bug;
use crate::ports::Sim;
use crate::scheduler::{Task, request};
use shop::messages::mail::{SendOutcome, queue_unsent_letters, send_letter};
use shop::operations::news::answer_carts;
use shop::operations::sweep::{Swept, sweep};
use shop::orders::ports::OrderPorts;
use shop::payments::WebhookEvent;
use shop::payments::inbox::Inbox;
use shop::payments::provider::ProviderId;
use shop::settlement::events;
use shop::settlement::ports::SettlementPorts;
use shop::settlement::reconciliation::balance::compare_balance;
use shop::settlement::reconciliation::undelivered::heal_undelivered;
use std::rc::Rc;
use storefront::store::messages::mails::MailsD1;
use storefront::store::settlement::jobs::JobsD1;

/// Delivers events late, in any order, and occasionally twice or not at all.
pub async fn webhooks(sim: Sim) {
    let world = &sim.0;
    if world.random.chance(700) || world.provider.borrow().events.is_empty() {
        return;
    }
    let at = world
        .random
        .below(world.provider.borrow().events.len() as u64) as usize;
    let session_id = world.provider.borrow_mut().events.swap_remove(at);
    if world.random.chance(100) {
        world.provider.borrow_mut().undelivered.push(session_id);
        return;
    }
    let id = format!("{session_id}/{}", world.name("evt"));
    let (mine, about) = (sim.clone(), session_id.clone());
    let delivered = request(world, async move {
        let event = WebhookEvent {
            provider: ProviderId::Stripe,
            id: id.clone(),
            kind: "session".to_owned(),
            payload: session_id,
        };
        let kept = mine.inbox().receive(&event, mine.0.now()).await.is_ok();
        if kept {
            let _ = mine.inbox().enqueue(&id, 0).await;
        }
        kept
    })
    .await;
    if delivered != Some(true) {
        world.provider.borrow_mut().undelivered.push(about);
    }
}

/// Sends an event to the shop and waits until the shop has handled it.
pub async fn deliver(sim: Sim, about: String) {
    let world = Rc::clone(&sim.0);
    let id = format!("{about}/{}", world.name("evt"));
    request(&world, async move {
        let event = WebhookEvent {
            provider: ProviderId::Stripe,
            id: id.clone(),
            kind: "told".to_owned(),
            payload: about,
        };
        sim.inbox().receive(&event, sim.0.now()).await?;
        events::handle_event(&sim, &id, sim.0.now()).await
    })
    .await;
}

pub async fn consumer(sim: Sim) {
    let world = &sim.0;
    if world.queue.borrow().is_empty() {
        return;
    }
    let at = world.random.below(world.queue.borrow().len() as u64) as usize;
    let id = world.queue.borrow_mut().swap_remove(at);
    let (mine, event_id) = (sim.clone(), id.clone());
    let handled = request(world, async move {
        events::handle_event(&mine, &event_id, mine.0.now()).await
    })
    .await;
    let tries_left = world.random.chance(700);
    if !matches!(handled, Some(Ok(()))) && tries_left {
        world.queue.borrow_mut().push(id);
    }
}

/// Sends an email. A failed one is retried, or its message is lost.
pub async fn postman(sim: Sim) {
    let world = &sim.0;
    if world.letters.borrow().is_empty() {
        return;
    }
    let at = world.random.below(world.letters.borrow().len() as u64) as usize;
    let letter = world.letters.borrow_mut().swap_remove(at);
    let (mine, about) = (sim.clone(), letter.clone());
    let sent = request(world, async move {
        let (orders, mails) = (mine.orders(), MailsD1(mine.clone()));
        let (links, letterhead) = (links(), letterhead());
        let now = mine.0.now();
        send_letter(&orders, &mails, &mine, &about, &links, &letterhead, now).await
    })
    .await;
    let is_lost = !matches!(sent, Some(Ok(SendOutcome::Sent | SendOutcome::GivenUp)));
    if is_lost && world.random.chance(500) {
        world.letters.borrow_mut().push(letter);
    }
}

pub async fn cron(sim: Sim) {
    let world = &sim.0;
    if world.storm.get().jump > 0 && world.random.chance(900) {
        return;
    }
    let mut jobs = handed_out(&sim);
    while !jobs.is_empty() {
        let at = world.random.below(jobs.len() as u64) as usize;
        do_job(sim.clone(), jobs.swap_remove(at)).await;
    }
    hear_carts(sim).await;
}

/// A job of each minute, identified by its message.
#[derive(Clone, Copy)]
enum Job {
    Swept(Swept),
    Letters,
    Undelivered,
    Balance,
}

/// Returns the jobs of a minute. In a storm, some messages are lost, and some arrive twice at once.
fn handed_out(sim: &Sim) -> Vec<Job> {
    let world = &sim.0;
    let mut jobs: Vec<Job> = Swept::ALL.map(Job::Swept).into();
    jobs.extend([Job::Undelivered, Job::Balance]);
    if world.bug != Some(Bug::LetterDoneWhenQueued) {
        jobs.push(Job::Letters);
    }
    let stormy = world.storm.get().fail > 0;
    jobs.retain(|job| {
        if stormy && world.random.chance(50) {
            let twin = Task::actor(do_job(sim.clone(), *job));
            world.spawned.borrow_mut().push(twin);
        }
        !(stormy && world.random.chance(50))
    });
    jobs
}

async fn do_job(sim: Sim, job: Job) {
    let world = Rc::clone(&sim.0);
    request(&world, async move {
        let jobs = JobsD1(sim.clone());
        let now = sim.0.now();
        match job {
            Job::Swept(kind) => sweep(&sim, &jobs, kind).await.map(drop),
            Job::Letters => queue_unsent_letters(&MailsD1(sim.clone()), &sim.mail(), now)
                .await
                .map(drop),
            Job::Undelivered => {
                let stripe = ProviderId::Stripe;
                heal_undelivered(&sim, &jobs, stripe, now).await.map(drop)
            }
            Job::Balance => {
                let stripe = ProviderId::Stripe;
                compare_balance(&sim, &jobs, stripe, now).await.map(drop)
            }
        }
    })
    .await;
}

/// Fires the carts' alarms and consumes the queue of their events; a failed event is sent again.
async fn hear_carts(sim: Sim) {
    let world = &sim.0;
    if world.bug == Some(Bug::CartsNotHeard) {
        return;
    }
    let rung = world.carts.ring(world.now());
    world.news.borrow_mut().extend(rung);
    let news = world.news.take();
    let (mine, told) = (sim.clone(), news.clone());
    let heard = request(world, async move {
        answer_carts(&mine, &told, mine.0.now()).await
    })
    .await;
    if !matches!(heard, Some(Ok(()))) {
        world.news.borrow_mut().extend(news);
    }
}
