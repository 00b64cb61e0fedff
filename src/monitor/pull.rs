//! A pull, told to those who wait for it: one bar for all layers.

use std::collections::HashMap;
use std::sync::Mutex;

use tokio::sync::mpsc;

use crate::sandbox::image::PullProgress;
use crate::wire::MonitorEvent;

/// What has come of each layer, and what is known to come, in bytes.
pub(super) struct Pull {
    image: String,
    followers: Vec<mpsc::Sender<MonitorEvent>>,
    layers: Mutex<HashMap<String, (u64, u64)>>,
}

impl Pull {
    pub(super) fn new(image: String, followers: Vec<mpsc::Sender<MonitorEvent>>) -> Self {
        Self { image, followers, layers: Mutex::default() }
    }

    /// Takes one step of the engine's. Unpacking counts bytes too, but of another kind: only downloads are summed.
    pub(super) fn step(&self, step: PullProgress) {
        let (Some(layer), Some(current), Some(total)) = (step.layer, step.current, step.total) else {
            return;
        };
        if step.status != "Downloading" {
            return;
        }
        let (done, total) = {
            let Ok(mut layers) = self.layers.lock() else { return };
            layers.insert(layer, (current, total));
            layers.values().fold((0, 0), |sum, layer| (sum.0 + layer.0, sum.1 + layer.1))
        };
        for follower in &self.followers {
            // A step that does not fit is no loss: another follows.
            let _ = follower.try_send(MonitorEvent::Pulling { image: self.image.clone(), done, total });
        }
    }
}
