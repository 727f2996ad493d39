//! The process: its start, its pipes, and its end.

use std::process::Stdio;
use std::sync::Arc;

use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{timeout, Duration};

use crate::connection::Connection;
use crate::error::Error;
use crate::locate;
use crate::options::Options;
use crate::platform::{self, Group};
use crate::pump;

/// How long a process that was terminated may take to end.
const TERMINATE_GRACE: Duration = Duration::from_secs(2);
/// How long the rest of stdout may take when the process and its group have ended.
const DRAIN_GRACE: Duration = Duration::from_secs(2);

/// How far the end of a process has come.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Stage {
    Running,
    /// Its stdin is closed; it has some time to end by itself.
    Ending,
    /// It may not go on.
    Killed,
    /// It has gone, and its stdout was read.
    Gone,
}

/// Starts the sidecar, and the tasks that read from it, write to it, and see it off.
pub(crate) fn spawn(options: Arc<Options>) -> Result<Arc<Connection>, Error> {
    let path = locate::executable(&options)?;
    let mut command = Command::new(&path);
    command.args(&options.args).envs(options.env.iter().cloned()).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(folder) = &options.cwd {
        command.current_dir(folder);
    }
    platform::prepare(&mut command);
    let failed = |cause| Error::sidecar_not_found(format_args!("{} cannot be started: {cause}.", path.display()));
    let child = command.spawn().map_err(failed)?;
    let group = OwnedGroup(Group::of(&child).map_err(failed)?);
    Ok(attend(options, child, group))
}

fn attend(options: Arc<Options>, mut child: Child, group: OwnedGroup) -> Arc<Connection> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (sender, lines) = mpsc::unbounded_channel();
    let (stage, watched) = watch::channel(Stage::Running);
    let connection = Connection::new(options, child.id().unwrap_or_default(), sender, stage);
    tokio::spawn(pump::write(stdin.expect("a pipe"), lines));
    tokio::spawn(pump::log(stderr.expect("a pipe"), connection.options.clone()));
    let reader = tokio::spawn(pump::read(stdout.expect("a pipe"), connection.clone()));
    tokio::spawn(see_off(child, group, reader, connection.clone(), watched));
    connection
}

/// Waits for the end of the process, sees to it where it is due, and leaves nothing of its group behind.
async fn see_off(
    mut child: Child,
    group: OwnedGroup,
    mut reader: JoinHandle<()>,
    connection: Arc<Connection>,
    mut stage: watch::Receiver<Stage>,
) {
    tokio::select! {
        _ = child.wait() => {}
        () = overdue(&mut stage, connection.options.stop_grace) => end(&mut child, &group, &stage).await,
    }
    drop(group);
    if timeout(DRAIN_GRACE, &mut reader).await.is_err() {
        reader.abort();
        drop(reader.await);
    }
    connection.advance(Stage::Gone);
}

/// Waits until the process should have ended.
async fn overdue(stage: &mut watch::Receiver<Stage>, grace: Duration) {
    // The sender lives as long as the connection, of which there is a handle in `see_off`.
    drop(stage.wait_for(|stage| *stage >= Stage::Ending).await);
    drop(timeout(grace, stage.wait_for(|stage| *stage >= Stage::Killed)).await);
}

async fn end(child: &mut Child, group: &OwnedGroup, stage: &watch::Receiver<Stage>) {
    if *stage.borrow() < Stage::Killed {
        group.0.terminate();
        if timeout(TERMINATE_GRACE, child.wait()).await.is_ok() {
            return;
        }
    }
    group.0.kill();
    drop(child.wait().await);
}

/// A group that is killed when it is dropped, also with the runtime.
struct OwnedGroup(Group);

impl Drop for OwnedGroup {
    fn drop(&mut self) {
        self.0.kill();
    }
}
