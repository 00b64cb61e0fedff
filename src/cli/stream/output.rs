//! The way to our own stdout, shared by the pump and by questions: whoever holds the lock is the only one who writes.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Mutex;

use super::frames::Channel;
use super::stdio::StdoutWriter;
use crate::cli::prompt::Model;

/// So much goes through the model before others get their turn, bytes.
pub(super) const TURN: usize = 8 * 1024;

pub(crate) type SharedOutput = Arc<Mutex<Output>>;

pub(crate) struct Output {
    /// `None`: it has ended.
    writer: Option<StdoutWriter>,
    /// In sessions that may ask: what the workload's screen looks like.
    model: Option<Model>,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("writer", &self.writer).finish_non_exhaustive()
    }
}

impl Output {
    pub(super) fn new(writer: StdoutWriter, model: Option<Model>) -> Self {
        Self { writer: Some(writer), model }
    }

    /// The workload's output. False when it can't be written any more.
    pub(super) async fn pass(&mut self, channel: Channel, bytes: Bytes) -> bool {
        let bytes = match &mut self.model {
            Some(model) => model.feed(bytes),
            None => bytes,
        };
        bytes.is_empty() || self.write(channel, bytes).await
    }

    /// Our own, past the model. False as above.
    pub(crate) async fn show(&mut self, bytes: Vec<u8>) -> bool {
        let Some(writer) = &self.writer else { return false };
        writer.write(Channel::Stdout, bytes.into()).await && writer.written().await
    }

    async fn write(&mut self, channel: Channel, bytes: Bytes) -> bool {
        match &self.writer {
            Some(writer) => writer.write(channel, bytes).await,
            None => false,
        }
    }

    pub(crate) fn model(&mut self) -> Option<&mut Model> {
        self.model.as_mut()
    }

    /// The output has ended: waits until all of it is written.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        let rest = self.model.as_mut().map(Model::finish).unwrap_or_default();
        let Some(writer) = self.writer.take() else { return Ok(()) };
        if !rest.is_empty() {
            writer.write(Channel::Stdout, rest).await;
        }
        writer.finish().await
    }
}
