//! Runs tasks one poll at a time, in an order chosen by the seed. A request can crash at any of its
//! awaits: it is dropped there, and its caller never gets an answer.

use crate::world::World;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

pub struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    /// True for a request: it may crash, and is dropped when the clock jumps by more than a
    /// request's lifetime.
    mortal: bool,
}

impl Task {
    pub fn actor(future: impl Future<Output = ()> + 'static) -> Self {
        Self {
            future: Box::pin(future),
            mortal: false,
        }
    }
}

/// Polls until every task has ended; calls `after_each` after every poll.
pub fn run(
    world: &Rc<World>,
    actors: Vec<Task>,
    mut after_each: impl FnMut() -> Result<(), String>,
) -> Result<(), String> {
    let mut tasks = actors;
    let mut polls = 0_u32;
    while !tasks.is_empty() {
        polls += 1;
        if polls > 30_000 {
            return Err("it never ends".to_owned());
        }
        let at = world.random.below(tasks.len() as u64) as usize;
        world.in_request.set(tasks[at].mortal);
        let ended = tasks[at]
            .future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready();
        if ended || world.crashed.take() {
            drop(tasks.swap_remove(at));
        }
        tasks.append(&mut world.spawned.borrow_mut());
        if world.time_passes() {
            tasks.retain(|task| !task.mortal);
        }
        after_each()?;
    }
    Ok(())
}

/// Runs `work` alone to its end; `after_each` as in [`run`].
pub fn once<T: 'static>(
    world: &Rc<World>,
    work: impl Future<Output = T> + 'static,
    after_each: impl FnMut() -> Result<(), String>,
) -> T {
    let answer = Rc::new(RefCell::new(None));
    let slot = Rc::clone(&answer);
    let actor = Task::actor(async move {
        let value = work.await;
        slot.replace(Some(value));
    });
    run(world, vec![actor], after_each).unwrap();
    answer.take().unwrap()
}

/// Lets other tasks run first; a request may crash here.
pub async fn pause(world: &World) {
    let mut paused = false;
    poll_fn(|_| {
        if paused {
            return Poll::Ready(());
        }
        paused = true;
        if world.in_request.get() && world.crashes_here() {
            world.crashed.set(true);
            world.note("crash".to_owned());
        }
        Poll::Pending
    })
    .await;
}

/// Lets other tasks run first until the clock has advanced by this much; a request may crash once.
pub async fn sleep(world: &World, millis: i64) {
    let until = world.now().as_millis() + millis;
    pause(world).await;
    if world.is_timeless.get() {
        world.advance(millis);
    }
    poll_fn(|_| match world.now().as_millis() < until {
        true => Poll::Pending,
        false => Poll::Ready(()),
    })
    .await;
}

/// Runs `work` as a request; `None` means it crashed.
pub async fn request<T: 'static>(
    world: &Rc<World>,
    work: impl Future<Output = T> + 'static,
) -> Option<T> {
    let answer = start(world, work);
    poll_fn(
        |_| match (answer.slot.borrow_mut().take(), answer.gone.get()) {
            (Some(value), _) => Poll::Ready(Some(value)),
            (None, true) => Poll::Ready(None),
            (None, false) => Poll::Pending,
        },
    )
    .await
}

struct Answer<T> {
    slot: Rc<RefCell<Option<T>>>,
    gone: Rc<Cell<bool>>,
}

struct Leaves(Rc<Cell<bool>>);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

fn start<T: 'static>(world: &Rc<World>, work: impl Future<Output = T> + 'static) -> Answer<T> {
    let (slot, gone) = (Rc::default(), Rc::default());
    let answer = Answer {
        slot: Rc::clone(&slot),
        gone: Rc::clone(&gone),
    };
    let leaves = Leaves(gone);
    world.spawned.borrow_mut().push(Task {
        future: Box::pin(async move {
            let _leaves = leaves;
            let value = work.await;
            slot.replace(Some(value));
        }),
        mortal: true,
    });
    answer
}
