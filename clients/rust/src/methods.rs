// Generated from the protocol by `make protocol`; changes here are lost.

//! The methods of the protocol, by their namespaces.

use crate::error::Error;
use crate::protocol::*;
use crate::sidecar::Sidecar;

/// Every method of the protocol.
pub const METHODS: &[&str] = &[
    "initialize",
    "shutdown",
    "server.ping",
    "rpc.discover",
    "providers.list",
    "providers.configure",
    "providers.remove",
    "providers.set_active",
    "providers.get_active",
    "providers.test",
    "models.list",
    "models.load",
    "models.unload",
    "models.download",
    "models.delete",
    "models.recommend",
    "chat.complete",
    "chat.stream",
    "chat.cancel",
    "chat.estimate",
    "embeddings.create",
    "usage.summary",
    "budgets.set",
    "budgets.list",
    "cache.stats",
    "cache.clear",
    "credentials.save",
    "credentials.get",
    "credentials.delete",
    "credentials.list",
];

impl Sidecar {
    /// The methods `server.*`.
    pub fn server(&self) -> Server<'_> {
        Server { sidecar: self }
    }

    /// The methods `rpc.*`.
    pub fn rpc(&self) -> Rpc<'_> {
        Rpc { sidecar: self }
    }

    /// The methods `providers.*`.
    pub fn providers(&self) -> Providers<'_> {
        Providers { sidecar: self }
    }

    /// The methods `models.*`.
    pub fn models(&self) -> Models<'_> {
        Models { sidecar: self }
    }

    /// The methods `chat.*`.
    pub fn chat(&self) -> Chat<'_> {
        Chat { sidecar: self }
    }

    /// The methods `embeddings.*`.
    pub fn embeddings(&self) -> Embeddings<'_> {
        Embeddings { sidecar: self }
    }

    /// The methods `usage.*`.
    pub fn usage(&self) -> Usage<'_> {
        Usage { sidecar: self }
    }

    /// The methods `budgets.*`.
    pub fn budgets(&self) -> Budgets<'_> {
        Budgets { sidecar: self }
    }

    /// The methods `cache.*`.
    pub fn cache(&self) -> Cache<'_> {
        Cache { sidecar: self }
    }

    /// The methods `credentials.*`.
    pub fn credentials(&self) -> Credentials<'_> {
        Credentials { sidecar: self }
    }
}

/// The methods `server.*`.
#[derive(Clone, Copy, Debug)]
pub struct Server<'a> {
    pub(crate) sidecar: &'a Sidecar,
}

impl Server<'_> {
    /// Answers at once, however busy the sidecar is.
    pub async fn ping(self) -> Result<Pong, Error> {
        self.sidecar.call("server.ping", &Empty {}).await
    }
}

/// The methods `rpc.*`.
#[derive(Clone, Copy, Debug)]
pub struct Rpc<'a> {
    pub(crate) sidecar: &'a Sidecar,
}

impl Rpc<'_> {
    /// Answers with the OpenRPC document of this server.
    pub async fn discover(self) -> Result<OpenRpc, Error> {
        self.sidecar.call("rpc.discover", &Empty {}).await
    }
}

/// The methods `providers.*`.
#[derive(Clone, Copy, Debug)]
pub struct Providers<'a> {
    pub(crate) sidecar: &'a Sidecar,
}

impl Providers<'_> {
    /// Lists every provider and every further configuration, without waiting for the keychain.
    pub async fn list(self) -> Result<ProviderList, Error> {
        self.sidecar.call("providers.list", &Empty {}).await
    }

    /// Takes a configuration in place of any other with its id; it is kept in memory.
    pub async fn configure(self, params: ConfigParams) -> Result<ConfiguredProvider, Error> {
        self.sidecar.call("providers.configure", &params).await
    }

    /// Forgets a configuration; saved keys stay.
    pub async fn remove(self, params: ProviderChoice) -> Result<Removed, Error> {
        self.sidecar.call("providers.remove", &params).await
    }

    /// Makes a provider the one that is meant when a request names none.
    pub async fn set_active(self, params: SetActiveParams) -> Result<ConfiguredProvider, Error> {
        self.sidecar.call("providers.set_active", &params).await
    }

    /// Tells which provider is active.
    pub async fn get_active(self) -> Result<ActiveProvider, Error> {
        self.sidecar.call("providers.get_active", &Empty {}).await
    }

    /// Diagnoses a provider stage by stage, free of charge but for `probe`. A failing provider is a result, not an
    /// error.
    pub async fn test(self, params: TestParams) -> Result<TestResult, Error> {
        self.sidecar.call("providers.test", &params).await
    }
}

/// The methods `models.*`.
#[derive(Clone, Copy, Debug)]
pub struct Models<'a> {
    pub(crate) sidecar: &'a Sidecar,
}

impl Models<'_> {
    /// Lists the models that a provider, or the active one, tells of, with what else is known of them.
    pub async fn list(self, params: OptionalProvider) -> Result<ModelList, Error> {
        self.sidecar.call("models.list", &params).await
    }

    /// Loads a local model ahead of the first question, telling how far it is in `task.progress`.
    pub async fn load(self, params: LoadParams) -> Result<LoadedModel, Error> {
        self.sidecar.call("models.load", &params).await
    }

    /// Ends the processes that hold a local model; the reply follows when their memory is free.
    pub async fn unload(self, params: UnloadParams) -> Result<UnloadedModel, Error> {
        self.sidecar.call("models.unload", &params).await
    }

    /// Fetches a model file, telling how far it is in `task.progress`. What broke off is resumed.
    pub async fn download(self, params: DownloadParams) -> Result<DownloadedModel, Error> {
        self.sidecar.call("models.download", &params).await
    }

    /// Deletes a model from the sidecar's own folder, all its files, and what is left of its download.
    pub async fn delete(self, params: DeleteModelParams) -> Result<DeletedModel, Error> {
        self.sidecar.call("models.delete", &params).await
    }

    /// Ranks the models of all providers that can be used. A provider that fails is a result, not an error.
    pub async fn recommend(self, params: RecommendParams) -> Result<Recommendations, Error> {
        self.sidecar.call("models.recommend", &params).await
    }
}

/// The methods `chat.*`.
#[derive(Clone, Copy, Debug)]
pub struct Chat<'a> {
    pub(crate) sidecar: &'a Sidecar,
}

impl Chat<'_> {
    /// Answers one question with the whole completion.
    pub async fn complete(self, params: ChatRequest) -> Result<ChatResult, Error> {
        self.sidecar.call("chat.complete", &params).await
    }

    /// Ends a stream; answers after the stream's own reply. Never an error.
    pub async fn cancel(self, params: CancelParams) -> Result<CancelResult, Error> {
        self.sidecar.call("chat.cancel", &params).await
    }

    /// Tells how many tokens a question has, whether they fit, and what it would cost; it is not asked.
    pub async fn estimate(self, params: ChatRequest) -> Result<ChatEstimate, Error> {
        self.sidecar.call("chat.estimate", &params).await
    }
}

/// The methods `embeddings.*`.
#[derive(Clone, Copy, Debug)]
pub struct Embeddings<'a> {
    pub(crate) sidecar: &'a Sidecar,
}

impl Embeddings<'_> {
    /// Turns texts into vectors.
    pub async fn create(self, params: EmbeddingRequest) -> Result<EmbeddingResult, Error> {
        self.sidecar.call("embeddings.create", &params).await
    }
}

/// The methods `usage.*`.
#[derive(Clone, Copy, Debug)]
pub struct Usage<'a> {
    pub(crate) sidecar: &'a Sidecar,
}

impl Usage<'_> {
    /// Tells what was used and what it cost, by provider, model, tag, day or month.
    pub async fn summary(self, params: UsageQuery) -> Result<UsageSummary, Error> {
        self.sidecar.call("usage.summary", &params).await
    }
}

/// The methods `budgets.*`.
#[derive(Clone, Copy, Debug)]
pub struct Budgets<'a> {
    pub(crate) sidecar: &'a Sidecar,
}

impl Budgets<'_> {
    /// Sets a budget, changes it, or without an amount removes it; answers with all budgets.
    pub async fn set(self, params: BudgetParams) -> Result<BudgetList, Error> {
        self.sidecar.call("budgets.set", &params).await
    }

    /// Tells how much of each budget is spent, and when its period ends.
    pub async fn list(self) -> Result<BudgetList, Error> {
        self.sidecar.call("budgets.list", &Empty {}).await
    }
}

/// The methods `cache.*`.
#[derive(Clone, Copy, Debug)]
pub struct Cache<'a> {
    pub(crate) sidecar: &'a Sidecar,
}

impl Cache<'_> {
    /// Tells how many answers are kept, and how often one was of use.
    pub async fn stats(self) -> Result<CacheStats, Error> {
        self.sidecar.call("cache.stats", &Empty {}).await
    }

    /// Drops all kept answers, or those that were asked for with a tag.
    pub async fn clear(self, params: CacheClearParams) -> Result<CacheCleared, Error> {
        self.sidecar.call("cache.clear", &params).await
    }
}

/// The methods `credentials.*`.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    pub(crate) sidecar: &'a Sidecar,
}

impl Credentials<'_> {
    /// Keeps a key in the system's keychain, for the origin of `base_url` or else for the provider's own.
    pub async fn save(self, params: SaveCredential) -> Result<SavedCredential, Error> {
        self.sidecar.call("credentials.save", &params).await
    }

    /// Tells whether there is a key, and shows as much of it as may be shown.
    pub async fn get(self, params: CredentialChoice) -> Result<CredentialState, Error> {
        self.sidecar.call("credentials.get", &params).await
    }

    /// Deletes a provider's keys, or the one for `base_url`.
    pub async fn delete(self, params: CredentialChoice) -> Result<Deleted, Error> {
        self.sidecar.call("credentials.delete", &params).await
    }

    /// Lists the providers with keys, and tells the state of the keychain.
    pub async fn list(self) -> Result<CredentialList, Error> {
        self.sidecar.call("credentials.list", &Empty {}).await
    }
}
