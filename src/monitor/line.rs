//! JSON lines between a CLI and a monitor: one object a line, so that a person with `socat` can read along.

use std::marker::PhantomData;

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::codec::{FramedRead, FramedWrite, LinesCodec};

/// The longest line either side takes: an exec's command line is the largest thing that is sent.
const MAX_LINE: usize = 4 << 20;

/// The half that hears.
#[derive(Debug)]
pub(crate) struct LineReader<T> {
    lines: FramedRead<OwnedReadHalf, LinesCodec>,
    of: PhantomData<T>,
}

/// The half that speaks.
#[derive(Debug)]
pub(crate) struct LineWriter<T> {
    lines: FramedWrite<OwnedWriteHalf, LinesCodec>,
    of: PhantomData<T>,
}

/// Both halves of a connection that hears `I` and speaks `O`.
pub(crate) fn split<I, O>(stream: UnixStream) -> (LineReader<I>, LineWriter<O>) {
    let (read, write) = stream.into_split();
    let codec = || LinesCodec::new_with_max_length(MAX_LINE);
    (
        LineReader { lines: FramedRead::new(read, codec()), of: PhantomData },
        LineWriter { lines: FramedWrite::new(write, codec()), of: PhantomData },
    )
}

impl<T: DeserializeOwned> LineReader<T> {
    /// The next message; `None` when the other side has closed.
    ///
    /// Cancel safe: a message that was not returned is returned by the next call.
    pub(crate) async fn next(&mut self) -> Result<Option<T>> {
        match self.lines.next().await {
            None => Ok(None),
            Some(line) => {
                let line = line.context("the connection broke")?;
                serde_json::from_str(&line)
                    .context("not a message that this version of creel knows")
                    .map(Some)
            }
        }
    }
}

impl<T: Serialize> LineWriter<T> {
    pub(crate) async fn send(&mut self, message: &T) -> Result<()> {
        let line = serde_json::to_string(message)?;
        self.lines.send(line).await.context("the connection broke")
    }
}
