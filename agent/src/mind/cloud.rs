//! The cloud's chain as one tier of the robot's: asked over `/v1` with the secret of the pairing, whichever cloud that is now.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream;
use models_mind::tier::{Answer, Asked, ChatTier, Failure, FailureKind};
use models_providers::{BadProvider, Kind, Provider, ProviderConfig, Secret};
use tokio::sync::watch;

use crate::sync::{CloudFile, Pairing};

/// The name of a chain among models.
pub(super) const MODEL: &str = Kind::Cloud.default_model();

/// The tier.
pub(super) struct Cloud {
    file: watch::Receiver<Option<CloudFile>>,
    /// Who speaks with the cloud that the robot is paired with.
    known: Mutex<Option<(Pairing, Arc<Provider>)>>,
}

impl Cloud {
    pub(super) fn new(file: watch::Receiver<Option<CloudFile>>) -> Self {
        Self { file, known: Mutex::new(None) }
    }

    fn pairing(&self) -> Option<Pairing> {
        match &*self.file.borrow() {
            Some(CloudFile::Paired(pairing)) => Some(pairing.clone()),
            _ => None,
        }
    }

    fn provider(&self, pairing: Pairing) -> Result<Arc<Provider>, BadProvider> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, provider)) = &*known
            && *of == pairing
        {
            return Ok(provider.clone());
        }
        let provider = Arc::new(Provider::new(ProviderConfig {
            kind: Kind::Cloud,
            base_url: format!("{}/v1/", pairing.url.trim_end_matches('/')),
            key: Some(Secret::new(&pairing.secret)),
            model: MODEL.to_owned(),
        })?);
        *known = Some((pairing, provider.clone()));
        Ok(provider)
    }
}

impl ChatTier for Cloud {
    fn ask(&self, asked: Arc<Asked>) -> Answer {
        let failed = |detail: String| -> Answer {
            let kind = FailureKind::NotConfigured;
            Box::pin(stream::iter([Err(Failure { kind, detail, retry_after: None })]))
        };
        let Some(pairing) = self.pairing() else { return failed(UNPAIRED.to_owned()) };
        match self.provider(pairing) {
            Ok(provider) => provider.ask(asked),
            Err(error) => failed(error.to_string()),
        }
    }

    fn missing(&self) -> Option<String> {
        self.pairing().is_none().then(|| UNPAIRED.to_owned())
    }
}

/// What sets it up.
const UNPAIRED: &str = "This robot is not paired with a cloud: robbie-agent pair CODE --cloud URL pairs it.";
