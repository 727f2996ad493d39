//! The streams that pages have begun, each with a task that tells its page of it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use llm_sidecar_client::ChatStream;
use tauri::{AppHandle, Emitter, Manager, Runtime, Webview};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::answer;
use crate::holdback::{Holdback, Payload, Topic, Topics};
use crate::options::Limits;

/// What the page asks of a stream.
#[derive(Clone, Copy, Debug, Default)]
struct Wishes {
    topics: Topics,
    cancelled: bool,
}

/// The page that began a stream, by where it is shown.
#[derive(Clone, Debug)]
struct Owner {
    window: String,
    webview: String,
}

impl Owner {
    fn of<R: Runtime>(webview: &Webview<R>) -> Self {
        Self { window: webview.window().label().to_owned(), webview: webview.label().to_owned() }
    }
}

/// A stream, as commands see it. Its task ends when this is dropped.
#[derive(Debug)]
struct Entry {
    owner: Owner,
    wishes: watch::Sender<Wishes>,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<String, Entry>,
    /// Those that have ended and wait for listeners, the oldest first.
    lingering: VecDeque<String>,
}

/// The streams that pages have begun.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    limits: Limits,
    state: Arc<Mutex<State>>,
}

impl Streams {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, state: Arc::default() }
    }

    /// Tells the page in a webview of a stream, and returns the stream's id.
    pub(crate) fn begin<R: Runtime>(&self, webview: &Webview<R>, stream: ChatStream) -> String {
        let id = stream.id().to_owned();
        let (wishes, asked) = watch::channel(Wishes::default());
        self.lock().entries.insert(id.clone(), Entry { owner: Owner::of(webview), wishes });
        let holdback = Holdback::new(self.limits.held_bytes);
        let page = Page { app: webview.app_handle().clone(), id: id.clone(), holdback };
        tauri::async_runtime::spawn(self.clone().tell(page, stream, asked));
        id
    }

    /// Lets go of what was held back for an event that the page in a webview listens to.
    pub(crate) fn listening(&self, webview: &str, event: &str) {
        let Some((topic, id)) = Topic::parse(event) else { return };
        if let Some(entry) = self.lock().entries.get(id).filter(|entry| entry.owner.webview == webview) {
            entry.wishes.send_modify(|wishes| wishes.topics.insert(topic));
        }
    }

    /// Cancels a stream; returns whether it was still going on.
    pub(crate) fn cancel(&self, id: &str) -> bool {
        let state = self.lock();
        let going_on = state.entries.get(id).filter(|_| !state.lingering.iter().any(|ended| ended == id));
        if let Some(entry) = going_on {
            entry.wishes.send_modify(|wishes| wishes.cancelled = true);
        }
        going_on.is_some()
    }

    /// Cancels and forgets the streams of the page that was in a webview.
    pub(crate) fn forget_page(&self, webview: &str) {
        self.retain(|owner| owner.webview != webview);
    }

    /// Cancels and forgets the streams of all pages in a window.
    pub(crate) fn forget_window(&self, window: &str) {
        self.retain(|owner| owner.window != window);
    }

    fn retain(&self, kept: impl Fn(&Owner) -> bool) {
        let mut state = self.lock();
        let State { entries, lingering } = &mut *state;
        entries.retain(|_, entry| kept(&entry.owner));
        lingering.retain(|id| entries.contains_key(id));
    }

    async fn tell<R: Runtime>(self, mut page: Page<R>, mut stream: ChatStream, mut asked: watch::Receiver<Wishes>) {
        loop {
            tokio::select! {
                event = stream.next() => match event {
                    Some(Ok(event)) => page.offer(answer::piece(&event)),
                    _ => break,
                },
                wishes = next(&mut asked) => match wishes {
                    Some(wishes) => {
                        page.open(wishes.topics);
                        if wishes.cancelled {
                            stream.cancel();
                        }
                    }
                    None => return,
                },
            }
        }
        page.offer(answer::end(stream.result().await));
        self.linger(&page.id);
        // Whether it was all told or time is up, the stream is forgotten.
        let _ = timeout(self.limits.linger, page.wait_for_listeners(&mut asked)).await;
        self.remove(&page.id);
    }

    /// Takes note that a stream has ended, and gives up the oldest where too many wait.
    fn linger(&self, id: &str) {
        let mut state = self.lock();
        state.lingering.push_back(id.to_owned());
        if state.lingering.len() > self.limits.max_lingering {
            if let Some(oldest) = state.lingering.pop_front() {
                state.entries.remove(&oldest);
            }
        }
    }

    fn remove(&self, id: &str) {
        let mut state = self.lock();
        state.entries.remove(id);
        state.lingering.retain(|ended| ended != id);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The next wishes; nothing when the stream was forgotten.
async fn next(asked: &mut watch::Receiver<Wishes>) -> Option<Wishes> {
    asked.changed().await.ok()?;
    Some(*asked.borrow_and_update())
}

/// Where the events of a stream go.
struct Page<R: Runtime> {
    app: AppHandle<R>,
    id: String,
    holdback: Holdback,
}

impl<R: Runtime> Page<R> {
    fn offer(&mut self, (topic, payload): (Topic, Payload)) {
        if let Some(payload) = self.holdback.offer(topic, payload) {
            self.emit(topic, payload);
        }
    }

    fn open(&mut self, topics: Topics) {
        for (topic, payload) in self.holdback.open(topics) {
            self.emit(topic, payload);
        }
    }

    async fn wait_for_listeners(&mut self, asked: &mut watch::Receiver<Wishes>) {
        while !self.holdback.is_told() {
            let Some(wishes) = next(asked).await else { return };
            self.open(wishes.topics);
        }
    }

    fn emit(&self, topic: Topic, payload: Payload) {
        // Fails where the window has just gone.
        let _ = self.app.emit(&topic.event(&self.id), payload);
    }
}
