// Generated from the protocol by `make protocol`; changes here are lost.

//! The types of the protocol.

#![allow(missing_docs)] // of members: the types' own sentences explain them

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::declare::{choice, defaults, enumeration, union};
use crate::event::events;
use crate::raw::{Object, Secret};

/// The version of the protocol.
pub const PROTOCOL_VERSION: i64 = 1;

/// The active provider, or null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ActiveProvider {
    pub active: Option<ConfiguredProvider>,
}

/// Anthropic. `betas` are features to be turned on, `workspace_id` says which workspace is to be billed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "anthropic")]
#[non_exhaustive]
pub struct AnthropicConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
    #[serde(default = "anthropic_config_api_version::value", skip_serializing_if = "anthropic_config_api_version::is")]
    pub api_version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "crate::declare::some")]
    pub betas: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
}

impl Default for AnthropicConfig {
    fn default() -> Self {
        Self {
            id: None,
            model: None,
            api_key: None,
            base_url: None,
            headers: Default::default(),
            fallback: Default::default(),
            rate_limits: None,
            api_version: anthropic_config_api_version::value(),
            betas: None,
            workspace_id: None,
        }
    }
}

impl AnthropicConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }

    /// Sets `api_version`.
    pub fn api_version(mut self, api_version: impl Into<String>) -> Self {
        self.api_version = api_version.into();
        self
    }

    /// Sets `betas`.
    pub fn betas(mut self, betas: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.betas = Some(betas.into_iter().map(Into::into).collect());
        self
    }

    /// Sets `workspace_id`.
    pub fn workspace_id(mut self, workspace_id: impl Into<String>) -> Self {
        self.workspace_id = Some(workspace_id.into());
        self
    }
}

/// One try at one target. `cached` is true where the response cache answered, and the target was not asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attempt {
    pub provider: String,
    pub model: String,
    pub outcome: Outcome,
    pub duration_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_type: Option<ErrorType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub cached: bool,
}

/// Azure OpenAI. `model` is the deployment's name.
///
/// `base_url` is the resource (`https://NAME.openai.azure.com`) or its `/openai/v1`; with `api_version` the legacy
/// deployment paths are used, which know Chat Completions only. `api` is `chat` for deployments that do so, too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "azure")]
#[non_exhaustive]
pub struct AzureConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub api: OpenAIApi,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
}

impl AzureConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }

    /// Sets `api`.
    pub fn api(mut self, api: OpenAIApi) -> Self {
        self.api = api;
        self
    }

    /// Sets `api_version`.
    pub fn api_version(mut self, api_version: impl Into<String>) -> Self {
        self.api_version = Some(api_version.into());
        self
    }
}

/// The file itself, base64-encoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "base64")]
#[non_exhaustive]
pub struct Base64Source {
    pub data: String,
}

impl Base64Source {
    /// Makes one with what is required.
    pub fn new(data: impl Into<String>) -> Self {
        Self { data: data.into() }
    }
}

/// A budget as it stands. `reserved` is what requests in progress may cost; amounts are decimal strings.
///
/// `unpriced` is the number of attempts in the period whose cost is unknown, and therefore not in `spent`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Budget {
    pub id: String,
    pub amount: String,
    pub period: Period,
    pub warn_at: f64,
    pub spent: String,
    pub reserved: String,
    pub state: BudgetState,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub unpriced: i64,
    #[serde(default = "budget_currency::value", skip_serializing_if = "budget_currency::is")]
    pub currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<String>,
}

/// All budgets, and where they are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BudgetList {
    pub budgets: Vec<Budget>,
    pub storage: StorageState,
}

/// A budget in place of any other with its `id`; without an `amount` there is none any more.
///
/// It counts the costs of the machine's local day, week (from Monday) or month, of requests with `tag` if given.
/// From `warn_at` of it on answers carry a warning; what would exceed it fails with `budget_exceeded` and is not
/// sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BudgetParams {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub period: Period,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    #[serde(default = "budget_params_warn_at::value", skip_serializing_if = "budget_params_warn_at::is")]
    pub warn_at: f64,
}

impl BudgetParams {
    /// Makes one with what is required.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            amount: None,
            period: Default::default(),
            tag: None,
            warn_at: budget_params_warn_at::value(),
        }
    }

    /// Sets `amount`.
    pub fn amount(mut self, amount: impl Into<String>) -> Self {
        self.amount = Some(amount.into());
        self
    }

    /// Sets `period`.
    pub fn period(mut self, period: Period) -> Self {
        self.period = period;
        self
    }

    /// Sets `tag`.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Sets `warn_at`.
    pub fn warn_at(mut self, warn_at: f64) -> Self {
        self.warn_at = warn_at;
        self
    }
}

enumeration! {
    /// What stands in `Budget` as its state.
    closed BudgetState {
        Exceeded = "exceeded",
        Ok = "ok",
        Warning = "warning",
    }
}

/// Which answers to drop: all, or those that were asked for with `tag`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CacheClearParams {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

impl CacheClearParams {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `tag`.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }
}

/// How many answers were dropped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CacheCleared {
    pub removed: i64,
}

/// Ask the provider to keep the prompt up to and including this part or tool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CacheHint {
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub ttl: CacheHintTtl,
}

impl CacheHint {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `ttl`.
    pub fn ttl(mut self, ttl: CacheHintTtl) -> Self {
        self.ttl = ttl;
        self
    }
}

enumeration! {
    /// What stands in `CacheHint` as its ttl.
    #[derive(Default)]
    closed CacheHintTtl {
        OneHour = "1h",
        #[default] FiveMinutes = "5m",
    }
}

enumeration! {
    /// What the response cache does.
    #[derive(Default)]
    closed CacheMode {
        Off = "off",
        #[default] On = "on",
        Read = "read",
        Write = "write",
    }
}

/// Whether a kept answer to the same request will do (`read`), whether this one is kept (`write`), or both (`on`).
///
/// Kept answers are `ttl_s` seconds old at most, by the wish of whoever asks as of whoever had them kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CacheOptions {
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub mode: CacheMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<i64>,
}

impl CacheOptions {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `mode`.
    pub fn mode(mut self, mode: CacheMode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets `ttl_s`.
    pub fn ttl_s(mut self, ttl_s: i64) -> Self {
        self.ttl_s = Some(ttl_s);
        self
    }
}

/// `entries` and `bytes` are those of all kept answers, the rest counts from the start of this process.
///
/// `joined` requests had their answer from one that was being asked at the same time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CacheStats {
    pub entries: i64,
    pub bytes: i64,
    pub max_bytes: i64,
    pub hits: i64,
    pub misses: i64,
    pub joined: i64,
    pub stored: i64,
    pub storage: StorageState,
}

/// Which stream to end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CancelParams {
    pub stream_id: String,
}

impl CancelParams {
    /// Makes one with what is required.
    pub fn new(stream_id: impl Into<String>) -> Self {
        Self { stream_id: stream_id.into() }
    }
}

/// The id of the pending request to cancel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CancelRequestParams {
    pub id: Id,
}

/// Whether the stream was ended by this call; false when it had ended already or never was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CancelResult {
    pub cancelled: bool,
}

enumeration! {
    /// What a model can do.
    open Capability {
        Audio = "audio",
        Documents = "documents",
        Embeddings = "embeddings",
        ImageGeneration = "image_generation",
        Moderation = "moderation",
        Reasoning = "reasoning",
        Reranking = "reranking",
        Speech = "speech",
        StructuredOutput = "structured_output",
        Tools = "tools",
        Transcription = "transcription",
        Video = "video",
        VideoGeneration = "video_generation",
        Vision = "vision",
        WebSearch = "web_search",
    }
}

enumeration! {
    /// What kind of thing went wrong.
    open Category {
        Ai = "ai",
        Config = "config",
        Internal = "internal",
        Network = "network",
        NotFound = "not_found",
        Protocol = "protocol",
    }
}

/// Cerebras.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "cerebras")]
#[non_exhaustive]
pub struct CerebrasConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
}

impl CerebrasConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }
}

/// What a question would take if it were asked. Null is unknown.
///
/// `max_output_tokens` is the longest answer: the request's limit or the model's, whichever is lower. `fits` tells
/// whether the question, and the answer if the request limits it, have room in the context.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatEstimate {
    pub provider: String,
    pub model: String,
    pub input_tokens: i64,
    pub source: UsageSource,
    pub max_output_tokens: Option<i64>,
    pub context_length: Option<i64>,
    pub fits: Option<bool>,
    pub cost: CostEstimate,
    pub warnings: Vec<Warning>,
}

/// A question. Without `provider` it goes to the active one, without `model` to that provider's configured one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatRequest {
    pub messages: Vec<Message>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub tools: Vec<Tool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel_tool_calls: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_format: Option<ResponseFormat>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<i64>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub stop: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_size: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<ReasoningOptions>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<Timeouts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryOptions>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Vec<Fallback>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheOptions>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub provider_options: BTreeMap<String, Object>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub on_unsupported: OnUnsupported,
    #[serde(default = "chat_request_include_message::value", skip_serializing_if = "chat_request_include_message::is")]
    pub include_message: bool,
}

impl ChatRequest {
    /// Makes one with what is required.
    pub fn new(messages: impl Into<Vec<Message>>) -> Self {
        Self {
            messages: messages.into(),
            provider: None,
            model: None,
            tools: Default::default(),
            tool_choice: None,
            parallel_tool_calls: None,
            response_format: None,
            max_tokens: None,
            temperature: None,
            top_p: None,
            top_k: None,
            stop: Default::default(),
            seed: None,
            frequency_penalty: None,
            presence_penalty: None,
            context_size: None,
            reasoning: None,
            timeouts: None,
            retry: None,
            fallback: None,
            cache: None,
            privacy: None,
            tags: Default::default(),
            provider_options: Default::default(),
            on_unsupported: Default::default(),
            include_message: chat_request_include_message::value(),
        }
    }

    /// Sets `provider`.
    pub fn provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `tools`.
    pub fn tools(mut self, tools: impl Into<Vec<Tool>>) -> Self {
        self.tools = tools.into();
        self
    }

    /// Sets `tool_choice`.
    pub fn tool_choice(mut self, tool_choice: impl Into<ToolChoice>) -> Self {
        self.tool_choice = Some(tool_choice.into());
        self
    }

    /// Sets `parallel_tool_calls`.
    pub fn parallel_tool_calls(mut self, parallel_tool_calls: bool) -> Self {
        self.parallel_tool_calls = Some(parallel_tool_calls);
        self
    }

    /// Sets `response_format`.
    pub fn response_format(mut self, response_format: impl Into<ResponseFormat>) -> Self {
        self.response_format = Some(response_format.into());
        self
    }

    /// Sets `max_tokens`.
    pub fn max_tokens(mut self, max_tokens: i64) -> Self {
        self.max_tokens = Some(max_tokens);
        self
    }

    /// Sets `temperature`.
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Sets `top_p`.
    pub fn top_p(mut self, top_p: f64) -> Self {
        self.top_p = Some(top_p);
        self
    }

    /// Sets `top_k`.
    pub fn top_k(mut self, top_k: i64) -> Self {
        self.top_k = Some(top_k);
        self
    }

    /// Sets `stop`.
    pub fn stop(mut self, stop: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.stop = stop.into_iter().map(Into::into).collect();
        self
    }

    /// Sets `seed`.
    pub fn seed(mut self, seed: i64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets `frequency_penalty`.
    pub fn frequency_penalty(mut self, frequency_penalty: f64) -> Self {
        self.frequency_penalty = Some(frequency_penalty);
        self
    }

    /// Sets `presence_penalty`.
    pub fn presence_penalty(mut self, presence_penalty: f64) -> Self {
        self.presence_penalty = Some(presence_penalty);
        self
    }

    /// Sets `context_size`.
    pub fn context_size(mut self, context_size: i64) -> Self {
        self.context_size = Some(context_size);
        self
    }

    /// Sets `reasoning`.
    pub fn reasoning(mut self, reasoning: ReasoningOptions) -> Self {
        self.reasoning = Some(reasoning);
        self
    }

    /// Sets `timeouts`.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(timeouts);
        self
    }

    /// Sets `retry`.
    pub fn retry(mut self, retry: RetryOptions) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = Some(fallback.into());
        self
    }

    /// Sets `cache`.
    pub fn cache(mut self, cache: CacheOptions) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Sets `privacy`.
    pub fn privacy(mut self, privacy: Privacy) -> Self {
        self.privacy = Some(privacy);
        self
    }

    /// Sets `tags`.
    pub fn tags(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Sets `provider_options`.
    pub fn provider_options(mut self, provider_options: impl Into<BTreeMap<String, Object>>) -> Self {
        self.provider_options = provider_options.into();
        self
    }

    /// Sets `on_unsupported`.
    pub fn on_unsupported(mut self, on_unsupported: OnUnsupported) -> Self {
        self.on_unsupported = on_unsupported;
        self
    }

    /// Sets `include_message`.
    pub fn include_message(mut self, include_message: bool) -> Self {
        self.include_message = include_message;
        self
    }
}

/// The answer. For a stream, the message is what the deltas add up to, and `chunks` their number.
///
/// `structured_output` tells by which way an answer in JSON was had: the provider's own, a tool that the model had
/// to call, or words alone. It was checked against the schema in any case. `cached` is true for an answer that was
/// kept from an earlier question, or came from one that was being asked at the same time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatResult {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "crate::declare::some")]
    pub message: Option<Option<Message>>,
    pub finish_reason: FinishReason,
    pub usage: Usage,
    pub cost: Cost,
    pub timing: Timing,
    pub attempts: Vec<Attempt>,
    pub warnings: Vec<Warning>,
    pub provider: String,
    pub model: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "crate::declare::some")]
    pub stream_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "crate::declare::some")]
    pub chunks: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "crate::declare::some")]
    pub structured_output: Option<StructuredOutput>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "crate::declare::some")]
    pub cached: Option<bool>,
}

union! {
    /// What a text refers to.
    open Citation by "type" {
        "url" => Url(UrlCitation),
        "document" => Document(DocumentCitation),
    }
}

/// The host app; its name is the keychain's service name unless `--app-id` is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClientInfo {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl ClientInfo {
    /// Makes one with what is required.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), version: None }
    }

    /// Sets `version`.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }
}

/// Any server that speaks OpenAI's Chat Completions. `base_url` is required.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "openai_compatible")]
#[non_exhaustive]
pub struct CompatibleConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
}

impl CompatibleConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }
}

/// A provider configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConfigParams {
    pub config: ProviderConfig,
}

impl ConfigParams {
    /// Makes one with what is required.
    pub fn new(config: impl Into<ProviderConfig>) -> Self {
        Self { config: config.into() }
    }
}

/// A configuration as it now stands, without its secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConfiguredProvider {
    pub provider: String,
    pub kind: String,
    pub key: KeyInfo,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
}

/// What a request cost. `amount` is a decimal string; an unknown price is `null`, never 0.
///
/// The provider's own figure counts first (`provider`), then the packaged prices (`table`), then those of the host
/// (`user`). What was answered from the response cache costs nothing (`cache`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cost {
    pub amount: Option<String>,
    #[serde(default = "cost_currency::value", skip_serializing_if = "cost_currency::is")]
    pub currency: String,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub source: CostSource,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub estimated: bool,
}

/// What the question costs, and what question and answer cost at most; null where the answer has no known end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CostEstimate {
    pub input: Cost,
    pub maximum: Option<Cost>,
}

enumeration! {
    /// Where the price comes from.
    #[derive(Default)]
    open CostSource {
        Cache = "cache",
        Free = "free",
        Provider = "provider",
        Table = "table",
        #[default] Unknown = "unknown",
        User = "user",
    }
}

/// A provider's key; `base_url` says which, where the provider has several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CredentialChoice {
    pub provider: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
}

impl CredentialChoice {
    /// Makes one with what is required.
    pub fn new(provider: impl Into<String>) -> Self {
        Self { provider: provider.into(), base_url: None }
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }
}

/// A provider with a key in the keychain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CredentialInfo {
    pub provider: String,
    pub has_api_key: bool,
    pub origins: Vec<String>,
}

/// The providers with keys, and the state of the keychain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CredentialList {
    pub credentials: Vec<CredentialInfo>,
    pub keychain: KeychainState,
}

/// Whether a key is kept, and as much of it as may be shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CredentialState {
    pub exists: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub origins: Vec<String>,
}

/// A part that only its provider understands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "custom")]
#[non_exhaustive]
pub struct Custom {
    pub opaque: Opaque,
}

impl Custom {
    /// Makes one with what is required.
    pub fn new(opaque: Opaque) -> Self {
        Self { opaque }
    }
}

/// DeepSeek.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "deepseek")]
#[non_exhaustive]
pub struct DeepSeekConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
}

impl DeepSeekConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }
}

/// The id of a model in the sidecar's own folder, as `models.list` tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeleteModelParams {
    pub model: String,
}

impl DeleteModelParams {
    /// Makes one with what is required.
    pub fn new(model: impl Into<String>) -> Self {
        Self { model: model.into() }
    }
}

/// Whether there was a key to delete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Deleted {
    pub deleted: bool,
}

/// Whether there was something to delete, and how many bytes that freed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeletedModel {
    pub deleted: bool,
    pub freed_bytes: i64,
}

union! {
    /// A piece of a streamed answer.
    open Delta by "type" {
        "text" => Text(TextDelta),
        "reasoning" => Reasoning(ReasoningDelta),
        "refusal" => Refusal(RefusalDelta),
        "tool_call" => ToolCall(ToolCallDelta),
        "part" => Part(PartDelta),
        "usage" => Usage(UsageDelta),
    }
}

/// A place in a file of the conversation that the model cites: `start` to `end`, counted in `unit` from 0.
///
/// `document` is the number of the file among those of the conversation, `file_id` the provider's own name for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "document")]
#[non_exhaustive]
pub struct DocumentCitation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<DocumentCitationUnit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<i64>,
}

impl DocumentCitation {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `document`.
    pub fn document(mut self, document: i64) -> Self {
        self.document = Some(document);
        self
    }

    /// Sets `file_id`.
    pub fn file_id(mut self, file_id: impl Into<String>) -> Self {
        self.file_id = Some(file_id.into());
        self
    }

    /// Sets `title`.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets `quote`.
    pub fn quote(mut self, quote: impl Into<String>) -> Self {
        self.quote = Some(quote.into());
        self
    }

    /// Sets `unit`.
    pub fn unit(mut self, unit: DocumentCitationUnit) -> Self {
        self.unit = Some(unit);
        self
    }

    /// Sets `start`.
    pub fn start(mut self, start: i64) -> Self {
        self.start = Some(start);
        self
    }

    /// Sets `end`.
    pub fn end(mut self, end: i64) -> Self {
        self.end = Some(end);
        self
    }
}

enumeration! {
    /// What stands in `DocumentCitation` as its unit.
    closed DocumentCitationUnit {
        Block = "block",
        Character = "character",
        Page = "page",
    }
}

/// Which model file to fetch: the one at `url`, or `file` of a hub's repository `repo`, named owner/name.
///
/// Of a model that is split into several files any one may be named; all are fetched. `sha256` is what a single
/// file must have; without it the hub's word is taken, where it gives one. `revision` is a branch, a tag or a
/// commit; `main` where it is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DownloadParams {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
}

impl DownloadParams {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `url`.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Sets `repo`.
    pub fn repo(mut self, repo: impl Into<String>) -> Self {
        self.repo = Some(repo.into());
        self
    }

    /// Sets `file`.
    pub fn file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Sets `revision`.
    pub fn revision(mut self, revision: impl Into<String>) -> Self {
        self.revision = Some(revision.into());
        self
    }

    /// Sets `sha256`.
    pub fn sha256(mut self, sha256: impl Into<String>) -> Self {
        self.sha256 = Some(sha256.into());
        self
    }

    /// Sets `task_id`.
    pub fn task_id(mut self, task_id: impl Into<String>) -> Self {
        self.task_id = Some(task_id.into());
        self
    }
}

/// A model that is there now, whole and checked. `path` is the first file of a split one, which has no `sha256`.
///
/// `model` is its id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DownloadedModel {
    pub model: String,
    pub path: String,
    pub size_bytes: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

enumeration! {
    /// How much the model should think.
    closed Effort {
        High = "high",
        Low = "low",
        Max = "max",
        Medium = "medium",
        Minimal = "minimal",
        None = "none",
        Xhigh = "xhigh",
    }
}

/// Texts to be turned into vectors. Without `provider` they go to the active one.
///
/// `dimensions` shortens the vectors where the model can do that; `purpose` says what they are for where it matters
/// to the model. `provider_options` are passed through, by provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EmbeddingRequest {
    pub input: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub provider_options: BTreeMap<String, Object>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub on_unsupported: OnUnsupported,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub tags: Vec<String>,
}

impl EmbeddingRequest {
    /// Makes one with what is required.
    pub fn new(input: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            input: input.into_iter().map(Into::into).collect(),
            provider: None,
            model: None,
            dimensions: None,
            purpose: None,
            provider_options: Default::default(),
            on_unsupported: Default::default(),
            privacy: None,
            tags: Default::default(),
        }
    }

    /// Sets `provider`.
    pub fn provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `dimensions`.
    pub fn dimensions(mut self, dimensions: i64) -> Self {
        self.dimensions = Some(dimensions);
        self
    }

    /// Sets `purpose`.
    pub fn purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = Some(purpose);
        self
    }

    /// Sets `provider_options`.
    pub fn provider_options(mut self, provider_options: impl Into<BTreeMap<String, Object>>) -> Self {
        self.provider_options = provider_options.into();
        self
    }

    /// Sets `on_unsupported`.
    pub fn on_unsupported(mut self, on_unsupported: OnUnsupported) -> Self {
        self.on_unsupported = on_unsupported;
        self
    }

    /// Sets `privacy`.
    pub fn privacy(mut self, privacy: Privacy) -> Self {
        self.privacy = Some(privacy);
        self
    }

    /// Sets `tags`.
    pub fn tags(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }
}

/// One vector per text, in the order of the texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EmbeddingResult {
    pub vectors: Vec<Vec<f64>>,
    pub usage: Usage,
    pub cost: Cost,
    pub warnings: Vec<Warning>,
    pub provider: String,
    pub model: String,
}

/// No members.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Empty {}

/// `error.data` of every error reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ErrorData {
    #[serde(rename = "type")]
    pub kind: ErrorType,
    pub category: Category,
    pub retryable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_request_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Vec<Attempt>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<Message>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunks: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_id: Option<String>,
}

impl ErrorData {
    /// Makes one with what is required.
    pub fn new(kind: ErrorType, category: Category, retryable: bool) -> Self {
        Self {
            kind,
            category,
            retryable,
            retry_after_ms: None,
            provider: None,
            model: None,
            http_status: None,
            provider_code: None,
            provider_request_id: None,
            hint: None,
            stage: None,
            param: None,
            attempts: None,
            partial: None,
            usage: None,
            chunks: None,
            stream_id: None,
        }
    }

    /// Sets `retry_after_ms`.
    pub fn retry_after_ms(mut self, retry_after_ms: i64) -> Self {
        self.retry_after_ms = Some(retry_after_ms);
        self
    }

    /// Sets `provider`.
    pub fn provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `http_status`.
    pub fn http_status(mut self, http_status: i64) -> Self {
        self.http_status = Some(http_status);
        self
    }

    /// Sets `provider_code`.
    pub fn provider_code(mut self, provider_code: impl Into<String>) -> Self {
        self.provider_code = Some(provider_code.into());
        self
    }

    /// Sets `provider_request_id`.
    pub fn provider_request_id(mut self, provider_request_id: impl Into<String>) -> Self {
        self.provider_request_id = Some(provider_request_id.into());
        self
    }

    /// Sets `hint`.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets `stage`.
    pub fn stage(mut self, stage: Stage) -> Self {
        self.stage = Some(stage);
        self
    }

    /// Sets `param`.
    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Sets `attempts`.
    pub fn attempts(mut self, attempts: impl Into<Vec<Attempt>>) -> Self {
        self.attempts = Some(attempts.into());
        self
    }

    /// Sets `partial`.
    pub fn partial(mut self, partial: Message) -> Self {
        self.partial = Some(partial);
        self
    }

    /// Sets `usage`.
    pub fn usage(mut self, usage: Usage) -> Self {
        self.usage = Some(usage);
        self
    }

    /// Sets `chunks`.
    pub fn chunks(mut self, chunks: i64) -> Self {
        self.chunks = Some(chunks);
        self
    }

    /// Sets `stream_id`.
    pub fn stream_id(mut self, stream_id: impl Into<String>) -> Self {
        self.stream_id = Some(stream_id.into());
        self
    }
}

/// `error` of a JSON-RPC error reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ErrorObject {
    pub code: i64,
    pub message: String,
    pub data: ErrorData,
}

enumeration! {
    /// What went wrong; what clients switch on.
    open ErrorType {
        AlreadyInitialized = "already_initialized",
        Authentication = "authentication",
        BudgetExceeded = "budget_exceeded",
        ChecksumMismatch = "checksum_mismatch",
        ClientStalled = "client_stalled",
        Connect = "connect",
        ConnectionClosed = "connection_closed",
        ContentFiltered = "content_filtered",
        ContextLengthExceeded = "context_length_exceeded",
        CredentialNotFound = "credential_not_found",
        DiskFull = "disk_full",
        Dns = "dns",
        DownloadFailed = "download_failed",
        DuplicateId = "duplicate_id",
        EngineCrashed = "engine_crashed",
        EngineUnavailable = "engine_unavailable",
        InsufficientQuota = "insufficient_quota",
        InternalError = "internal_error",
        InvalidMessage = "invalid_message",
        InvalidParams = "invalid_params",
        KeyringDenied = "keyring_denied",
        KeyringLocked = "keyring_locked",
        KeyringUnavailable = "keyring_unavailable",
        MalformedResponse = "malformed_response",
        MessageTooLarge = "message_too_large",
        MethodNotFound = "method_not_found",
        ModelFileInvalid = "model_file_invalid",
        ModelInUse = "model_in_use",
        ModelNotFound = "model_not_found",
        NotBatchable = "not_batchable",
        NotInitialized = "not_initialized",
        OriginNotAllowed = "origin_not_allowed",
        OutOfMemory = "out_of_memory",
        OutputInvalid = "output_invalid",
        ParseError = "parse_error",
        PathNotAllowed = "path_not_allowed",
        PayloadTooLarge = "payload_too_large",
        PermissionDenied = "permission_denied",
        PrivacyBlocked = "privacy_blocked",
        ProviderNotConfigured = "provider_not_configured",
        ProviderNotFound = "provider_not_found",
        ProviderOverloaded = "provider_overloaded",
        Proxy = "proxy",
        RateLimited = "rate_limited",
        RequestCancelled = "request_cancelled",
        RequestRejected = "request_rejected",
        ServerBusy = "server_busy",
        ServerError = "server_error",
        ShuttingDown = "shutting_down",
        SidecarNotFound = "sidecar_not_found",
        StreamIdInUse = "stream_id_in_use",
        StreamInterrupted = "stream_interrupted",
        Timeout = "timeout",
        Tls = "tls",
        UnsupportedFeature = "unsupported_feature",
        UnsupportedParameter = "unsupported_parameter",
        UnsupportedProtocolVersion = "unsupported_protocol_version",
    }
}

/// Whom to ask instead, as long as nothing of an answer has come.
///
/// `on` are the types of error after which; without it, those that another provider or model may not have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fallback {
    pub provider: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub on: Vec<ErrorType>,
}

impl Fallback {
    /// Makes one with what is required.
    pub fn new(provider: impl Into<String>) -> Self {
        Self { provider: provider.into(), model: None, on: Default::default() }
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `on`.
    pub fn on(mut self, on: impl Into<Vec<ErrorType>>) -> Self {
        self.on = on.into();
        self
    }
}

/// An image, a document or a recording. `media_type` is a MIME type such as `image/png` or `application/pdf`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "file")]
#[non_exhaustive]
pub struct File {
    pub media_type: String,
    pub source: FileSource,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<FileDetail>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheHint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opaque: Option<Opaque>,
}

impl File {
    /// Makes one with what is required.
    pub fn new(media_type: impl Into<String>, source: impl Into<FileSource>) -> Self {
        Self {
            media_type: media_type.into(),
            source: source.into(),
            filename: None,
            detail: None,
            cache: None,
            opaque: None,
        }
    }

    /// Sets `filename`.
    pub fn filename(mut self, filename: impl Into<String>) -> Self {
        self.filename = Some(filename.into());
        self
    }

    /// Sets `detail`.
    pub fn detail(mut self, detail: FileDetail) -> Self {
        self.detail = Some(detail);
        self
    }

    /// Sets `cache`.
    pub fn cache(mut self, cache: CacheHint) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Sets `opaque`.
    pub fn opaque(mut self, opaque: Opaque) -> Self {
        self.opaque = Some(opaque);
        self
    }
}

enumeration! {
    /// What stands in `File` as its detail.
    closed FileDetail {
        Auto = "auto",
        High = "high",
        Low = "low",
    }
}

union! {
    /// Where a file is.
    closed FileSource by "type" {
        "base64" => Base64(Base64Source),
        "url" => Url(UrlSource),
        "path" => Path(PathSource),
    }
}

/// Why the answer ended: in the protocol's words, and in the provider's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FinishReason {
    pub reason: Reason,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
}

/// Fireworks AI.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "fireworks")]
#[non_exhaustive]
pub struct FireworksConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
}

impl FireworksConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }
}

/// A function the host offers. `input_schema` is a JSON Schema of an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "function")]
#[non_exhaustive]
pub struct FunctionTool {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub input_schema: Object,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheHint>,
}

impl FunctionTool {
    /// Makes one with what is required.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), description: None, input_schema: Default::default(), strict: None, cache: None }
    }

    /// Sets `description`.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets `input_schema`.
    pub fn input_schema(mut self, input_schema: Object) -> Self {
        self.input_schema = input_schema;
        self
    }

    /// Sets `strict`.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = Some(strict);
        self
    }

    /// Sets `cache`.
    pub fn cache(mut self, cache: CacheHint) -> Self {
        self.cache = Some(cache);
        self
    }
}

/// Google Gemini. A `base_url` without a path is completed by the version of the API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "google")]
#[non_exhaustive]
pub struct GoogleConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
}

impl GoogleConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }
}

/// Groq.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "groq")]
#[non_exhaustive]
pub struct GroqConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
}

impl GroqConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }
}

enumeration! {
    /// What attempts are grouped by.
    closed Grouping {
        Day = "day",
        Model = "model",
        Month = "month",
        Provider = "provider",
        Tag = "tag",
    }
}

choice! {
    /// What the caller chose; echoed verbatim.
    Id {
        b'"' => Text(String),
        b'-' | b'0'..=b'9' => Number(i64),
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Opens the session. `process_id` is the host's: when it dies, the sidecar exits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InitializeParams {
    pub protocol_version: i64,
    pub client_info: ClientInfo,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_id: Option<i64>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub capabilities: Object,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub options: Object,
}

impl InitializeParams {
    /// Makes one with what is required.
    pub fn new(protocol_version: i64, client_info: ClientInfo) -> Self {
        Self {
            protocol_version,
            client_info,
            process_id: None,
            capabilities: Default::default(),
            options: Default::default(),
        }
    }

    /// Sets `process_id`.
    pub fn process_id(mut self, process_id: i64) -> Self {
        self.process_id = Some(process_id);
        self
    }

    /// Sets `capabilities`.
    pub fn capabilities(mut self, capabilities: Object) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Sets `options`.
    pub fn options(mut self, options: Object) -> Self {
        self.options = options;
        self
    }
}

/// `protocol_version` is the lower of the client's and the server's major version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InitializeResult {
    pub protocol_version: i64,
    pub server_info: ServerInfo,
    pub capabilities: Object,
    pub limits: Limits,
}

/// Any JSON object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "json")]
#[non_exhaustive]
pub struct JsonFormat {}

impl JsonFormat {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }
}

/// JSON that matches `schema`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "json_schema")]
#[non_exhaustive]
pub struct JsonSchemaFormat {
    pub schema: Object,
    #[serde(default = "json_schema_format_name::value", skip_serializing_if = "json_schema_format_name::is")]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

impl JsonSchemaFormat {
    /// Makes one with what is required.
    pub fn new(schema: Object) -> Self {
        Self { schema, name: json_schema_format_name::value(), description: None, strict: None }
    }

    /// Sets `name`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets `description`.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets `strict`.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = Some(strict);
        self
    }
}

/// Where the key comes from, and as much of it as may be shown: of a saved key nothing until it was used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeyInfo {
    pub source: KeySource,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked: Option<String>,
}

enumeration! {
    /// Where a key comes from.
    open KeySource {
        Config = "config",
        Environment = "environment",
        Keychain = "keychain",
        Memory = "memory",
        None = "none",
    }
}

/// Whether keys can be kept. `unknown` until the keychain is first used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeychainState {
    pub state: KeychainStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

enumeration! {
    /// Whether the keychain works.
    open KeychainStatus {
        Denied = "denied",
        Locked = "locked",
        Ok = "ok",
        Unavailable = "unavailable",
        Unknown = "unknown",
    }
}

/// LM Studio.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "lmstudio")]
#[non_exhaustive]
pub struct LMStudioConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
}

impl LMStudioConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }
}

enumeration! {
    /// Whether a model will go on being there.
    open LifecycleStatus {
        Active = "active",
        Deprecated = "deprecated",
        Retired = "retired",
    }
}

/// Every bound of the process; set by `--limit NAME=N` or `[limits]`. Bytes and milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Limits {
    #[serde(default = "limits_max_message_bytes::value", skip_serializing_if = "limits_max_message_bytes::is")]
    pub max_message_bytes: i64,
    #[serde(default = "limits_max_admitted_bytes::value", skip_serializing_if = "limits_max_admitted_bytes::is")]
    pub max_admitted_bytes: i64,
    #[serde(default = "limits_max_requests::value", skip_serializing_if = "limits_max_requests::is")]
    pub max_requests: i64,
    #[serde(default = "limits_max_streams::value", skip_serializing_if = "limits_max_streams::is")]
    pub max_streams: i64,
    #[serde(default = "limits_max_batch::value", skip_serializing_if = "limits_max_batch::is")]
    pub max_batch: i64,
    #[serde(default = "limits_stdin_ahead_bytes::value", skip_serializing_if = "limits_stdin_ahead_bytes::is")]
    pub stdin_ahead_bytes: i64,
    #[serde(default = "limits_soft_output_bytes::value", skip_serializing_if = "limits_soft_output_bytes::is")]
    pub soft_output_bytes: i64,
    #[serde(default = "limits_hard_output_bytes::value", skip_serializing_if = "limits_hard_output_bytes::is")]
    pub hard_output_bytes: i64,
    #[serde(default = "limits_max_output_bytes::value", skip_serializing_if = "limits_max_output_bytes::is")]
    pub max_output_bytes: i64,
    #[serde(default = "limits_max_chunk_bytes::value", skip_serializing_if = "limits_max_chunk_bytes::is")]
    pub max_chunk_bytes: i64,
    #[serde(default = "limits_stalled_exit_ms::value", skip_serializing_if = "limits_stalled_exit_ms::is")]
    pub stalled_exit_ms: i64,
    #[serde(default = "limits_stalled_stream_ms::value", skip_serializing_if = "limits_stalled_stream_ms::is")]
    pub stalled_stream_ms: i64,
    #[serde(default = "limits_exit_grace_ms::value", skip_serializing_if = "limits_exit_grace_ms::is")]
    pub exit_grace_ms: i64,
    #[serde(default = "limits_keychain_ms::value", skip_serializing_if = "limits_keychain_ms::is")]
    pub keychain_ms: i64,
    #[serde(default = "limits_load_ms::value", skip_serializing_if = "limits_load_ms::is")]
    pub load_ms: i64,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub local_memory_bytes: i64,
    #[serde(default = "limits_max_queued::value", skip_serializing_if = "limits_max_queued::is")]
    pub max_queued: i64,
    #[serde(default = "limits_max_wait_ms::value", skip_serializing_if = "limits_max_wait_ms::is")]
    pub max_wait_ms: i64,
    #[serde(default = "limits_cooldown_ms::value", skip_serializing_if = "limits_cooldown_ms::is")]
    pub cooldown_ms: i64,
    #[serde(default = "limits_cache_bytes::value", skip_serializing_if = "limits_cache_bytes::is")]
    pub cache_bytes: i64,
    #[serde(default = "limits_cache_answer_bytes::value", skip_serializing_if = "limits_cache_answer_bytes::is")]
    pub cache_answer_bytes: i64,
    #[serde(default = "limits_cache_ttl_s::value", skip_serializing_if = "limits_cache_ttl_s::is")]
    pub cache_ttl_s: i64,
    #[serde(default = "limits_ledger_days::value", skip_serializing_if = "limits_ledger_days::is")]
    pub ledger_days: i64,
    #[serde(default = "limits_storage_ms::value", skip_serializing_if = "limits_storage_ms::is")]
    pub storage_ms: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_bytes: limits_max_message_bytes::value(),
            max_admitted_bytes: limits_max_admitted_bytes::value(),
            max_requests: limits_max_requests::value(),
            max_streams: limits_max_streams::value(),
            max_batch: limits_max_batch::value(),
            stdin_ahead_bytes: limits_stdin_ahead_bytes::value(),
            soft_output_bytes: limits_soft_output_bytes::value(),
            hard_output_bytes: limits_hard_output_bytes::value(),
            max_output_bytes: limits_max_output_bytes::value(),
            max_chunk_bytes: limits_max_chunk_bytes::value(),
            stalled_exit_ms: limits_stalled_exit_ms::value(),
            stalled_stream_ms: limits_stalled_stream_ms::value(),
            exit_grace_ms: limits_exit_grace_ms::value(),
            keychain_ms: limits_keychain_ms::value(),
            load_ms: limits_load_ms::value(),
            local_memory_bytes: Default::default(),
            max_queued: limits_max_queued::value(),
            max_wait_ms: limits_max_wait_ms::value(),
            cooldown_ms: limits_cooldown_ms::value(),
            cache_bytes: limits_cache_bytes::value(),
            cache_answer_bytes: limits_cache_answer_bytes::value(),
            cache_ttl_s: limits_cache_ttl_s::value(),
            ledger_days: limits_ledger_days::value(),
            storage_ms: limits_storage_ms::value(),
        }
    }
}

/// llama.cpp's llama-server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "llama_server")]
#[non_exhaustive]
pub struct LlamaServerConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
}

impl LlamaServerConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }
}

/// Which model to load. `context_size` is in tokens; the configuration says what is left out.
///
/// `task_id` names the task in `task.progress`; the default is the id of the request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoadParams {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_size: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
}

impl LoadParams {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `provider`.
    pub fn provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `context_size`.
    pub fn context_size(mut self, context_size: i64) -> Self {
        self.context_size = Some(context_size);
        self
    }

    /// Sets `task_id`.
    pub fn task_id(mut self, task_id: impl Into<String>) -> Self {
        self.task_id = Some(task_id.into());
        self
    }
}

/// A model that is ready. So many `parallel` answers are made at once; they share the context.
///
/// `load_ms` is how long loading took, also where that was before; `memory_bytes` what the model takes now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoadedModel {
    pub provider: String,
    pub model: String,
    pub runtime: String,
    pub context_size: i64,
    pub parallel: i64,
    pub memory_bytes: i64,
    pub load_ms: i64,
}

/// GGUF files, run by llama.cpp in worker processes.
///
/// `model_path` is the file that is meant where a request names no model; `models.list` tells of the others.
/// `keep_alive_s` is for how many seconds an unused model stays in memory: 0 until its answer is there, null or a
/// negative number for ever. `parallel` answers at most are made at once; they share the context.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "local")]
#[non_exhaustive]
pub struct LocalConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_size: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_layers: Option<i64>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub runtime: LocalConfigRuntime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_alive_s: Option<f64>,
    #[serde(default = "local_config_parallel::value", skip_serializing_if = "local_config_parallel::is")]
    pub parallel: i64,
}

impl Default for LocalConfig {
    fn default() -> Self {
        Self {
            id: None,
            model: None,
            api_key: None,
            base_url: None,
            headers: Default::default(),
            fallback: Default::default(),
            rate_limits: None,
            model_path: None,
            context_size: None,
            threads: None,
            gpu_layers: None,
            runtime: Default::default(),
            keep_alive_s: None,
            parallel: local_config_parallel::value(),
        }
    }
}

impl LocalConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }

    /// Sets `model_path`.
    pub fn model_path(mut self, model_path: impl Into<String>) -> Self {
        self.model_path = Some(model_path.into());
        self
    }

    /// Sets `context_size`.
    pub fn context_size(mut self, context_size: i64) -> Self {
        self.context_size = Some(context_size);
        self
    }

    /// Sets `threads`.
    pub fn threads(mut self, threads: i64) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Sets `gpu_layers`.
    pub fn gpu_layers(mut self, gpu_layers: i64) -> Self {
        self.gpu_layers = Some(gpu_layers);
        self
    }

    /// Sets `runtime`.
    pub fn runtime(mut self, runtime: LocalConfigRuntime) -> Self {
        self.runtime = runtime;
        self
    }

    /// Sets `keep_alive_s`.
    pub fn keep_alive_s(mut self, keep_alive_s: f64) -> Self {
        self.keep_alive_s = Some(keep_alive_s);
        self
    }

    /// Sets `parallel`.
    pub fn parallel(mut self, parallel: i64) -> Self {
        self.parallel = parallel;
        self
    }
}

enumeration! {
    /// What stands in `LocalConfig` as its runtime.
    #[derive(Default)]
    closed LocalConfigRuntime {
        #[default] Auto = "auto",
        LlamaCppPython = "llama-cpp-python",
        Xllamacpp = "xllamacpp",
    }
}

/// The rates of a request with more than `above` input tokens, where they differ; they hold for all its tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LongContextRates {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_audio: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_audio: Option<String>,
    pub above: i64,
}

/// One turn. Assistant messages carry their `origin`, so that a conversation can change model half-way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
    pub role: Role,
    pub content: MessageContent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl Message {
    /// Makes one with what is required.
    pub fn new(role: Role, content: impl Into<MessageContent>) -> Self {
        Self { role, content: content.into(), origin: None }
    }

    /// Sets `origin`.
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }
}

choice! {
    /// What stands in `Message` as its content.
    MessageContent {
        b'"' => Text(String),
        b'[' => Parts(Vec<Part>),
    }
}

impl From<&str> for MessageContent {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Mistral.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "mistral")]
#[non_exhaustive]
pub struct MistralConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
}

impl MistralConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }
}

/// A model. What is left out is unknown. `shut_down` is the day of its end, as in 2027-01-14.
///
/// Of models on this machine: `source` is whose folder the file is in, `models` being the sidecar's own;
/// `size_bytes` is what its files take, `memory_bytes` about what it takes in memory with its usual context (where
/// it is loaded: what it takes now), `parameters` how many numbers are in it, `chat_template` whether it says how
/// it is talked to, and `problem` why it cannot be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelInfo {
    pub id: String,
    pub provider: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_length: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_modalities: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_modalities: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<Capability>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_efforts: Option<Vec<Effort>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_parameters: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<LifecycleStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shut_down: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<ModelPrice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loaded: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantization: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_template: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The provider's models, in its own order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelList {
    pub provider: String,
    pub models: Vec<ModelInfo>,
}

/// A model of a provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelName {
    pub provider: String,
    pub model: String,
}

/// What a model costs now: by the provider's own word, by the table that comes with the sidecar, or by the host's.
///
/// What costs nothing is `free`. `request` is what each request costs beside its tokens, in US dollars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelPrice {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_audio: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_audio: Option<String>,
    pub source: PriceSource,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub long_context: Vec<LongContextRates>,
}

/// The one tool that the model must call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "function")]
#[non_exhaustive]
pub struct NamedTool {
    pub name: String,
}

impl NamedTool {
    /// Makes one with what is required.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

/// Ollama. `context_size` in tokens, and `keep_alive`, such as `10m`, say how a model is loaded.
///
/// Without a context size the server takes its own, and silently cuts what does not fit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "ollama")]
#[non_exhaustive]
pub struct OllamaConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_size: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_alive: Option<OllamaConfigKeepAlive>,
}

impl OllamaConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }

    /// Sets `context_size`.
    pub fn context_size(mut self, context_size: i64) -> Self {
        self.context_size = Some(context_size);
        self
    }

    /// Sets `keep_alive`.
    pub fn keep_alive(mut self, keep_alive: impl Into<OllamaConfigKeepAlive>) -> Self {
        self.keep_alive = Some(keep_alive.into());
        self
    }
}

choice! {
    /// What stands in `OllamaConfig` as its keepalive.
    OllamaConfigKeepAlive {
        b'"' => Text(String),
        b'-' | b'0'..=b'9' => Number(i64),
    }
}

impl From<&str> for OllamaConfigKeepAlive {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

enumeration! {
    /// What happens to an option that a model lacks.
    #[derive(Default)]
    closed OnUnsupported {
        Error = "error",
        #[default] Warn = "warn",
    }
}

/// Provider data to be sent back unchanged, such as a signature. `data` is the provider's JSON, verbatim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Opaque {
    pub data: String,
    pub origin: Origin,
}

impl Opaque {
    /// Makes one with what is required.
    pub fn new(data: impl Into<String>, origin: Origin) -> Self {
        Self { data: data.into(), origin }
    }
}

enumeration! {
    /// Which of its APIs a provider is asked over.
    #[derive(Default)]
    closed OpenAIApi {
        Chat = "chat",
        #[default] Responses = "responses",
    }
}

/// OpenAI. A `base_url` on an Azure host makes it an Azure configuration.
///
/// `api` is `chat` for servers, and where it must be for models, that speak Chat Completions only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "openai")]
#[non_exhaustive]
pub struct OpenAIConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub api: OpenAIApi,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
}

impl OpenAIConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }

    /// Sets `api`.
    pub fn api(mut self, api: OpenAIApi) -> Self {
        self.api = api;
        self
    }

    /// Sets `organization`.
    pub fn organization(mut self, organization: impl Into<String>) -> Self {
        self.organization = Some(organization.into());
        self
    }

    /// Sets `project`.
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }
}

/// OpenRouter. `site_url` and `app_name` are how the app appears in its rankings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "openrouter")]
#[non_exhaustive]
pub struct OpenRouterConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_name: Option<String>,
}

impl OpenRouterConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }

    /// Sets `site_url`.
    pub fn site_url(mut self, site_url: impl Into<String>) -> Self {
        self.site_url = Some(site_url.into());
        self
    }

    /// Sets `app_name`.
    pub fn app_name(mut self, app_name: impl Into<String>) -> Self {
        self.app_name = Some(app_name.into());
        self
    }
}

/// The OpenRPC document of this server, as in `protocol/openrpc.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenRpc {
    pub openrpc: String,
    pub info: Object,
    pub methods: Vec<Object>,
    #[serde(rename = "x-notifications")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "crate::declare::some")]
    pub x_notifications: Option<Vec<Object>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "crate::declare::some")]
    pub components: Option<Object>,
}

/// A provider id, or the active provider when left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OptionalProvider {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

impl OptionalProvider {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `provider`.
    pub fn provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }
}

/// Who wrote something: opaque data goes back only where all three match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Origin {
    pub provider: String,
    pub endpoint: String,
    pub model: String,
}

impl Origin {
    /// Makes one with what is required.
    pub fn new(provider: impl Into<String>, endpoint: impl Into<String>, model: impl Into<String>) -> Self {
        Self { provider: provider.into(), endpoint: endpoint.into(), model: model.into() }
    }
}

enumeration! {
    /// How an attempt ended.
    open Outcome {
        Cancelled = "cancelled",
        Error = "error",
        Ok = "ok",
    }
}

union! {
    /// A piece of a message.
    open Part by "type" {
        "text" => Text(Text),
        "file" => File(File),
        "reasoning" => Reasoning(Reasoning),
        "tool_call" => ToolCall(ToolCall),
        "tool_result" => ToolResult(ToolResult),
        "refusal" => Refusal(Refusal),
        "custom" => Custom(Custom),
    }
}

/// A whole part, which replaces the deltas of its index: a non-text part, or one with opaque data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "part")]
#[non_exhaustive]
pub struct PartDelta {
    pub index: i64,
    pub part: Part,
}

/// A file on this machine, inside a folder named by `--allow-path`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "path")]
#[non_exhaustive]
pub struct PathSource {
    pub path: String,
}

impl PathSource {
    /// Makes one with what is required.
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into() }
    }
}

enumeration! {
    /// What a budget is for.
    #[derive(Default)]
    closed Period {
        Day = "day",
        #[default] Month = "month",
        Total = "total",
        Week = "week",
    }
}

/// Perplexity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "perplexity")]
#[non_exhaustive]
pub struct PerplexityConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
}

impl PerplexityConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }
}

/// `uptime_ms` counts from the start of the process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pong {
    pub uptime_ms: i64,
}

enumeration! {
    /// What models are ranked by.
    #[derive(Default)]
    closed Preference {
        #[default] Balanced = "balanced",
        Context = "context",
        Latency = "latency",
        Price = "price",
    }
}

enumeration! {
    /// Who says what a model costs.
    open PriceSource {
        Free = "free",
        Provider = "provider",
        Table = "table",
        User = "user",
    }
}

/// Where a request may go: with `local_only` nowhere beyond this machine, else to `allow_providers` if given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Privacy {
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub local_only: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_providers: Option<Vec<String>>,
}

impl Privacy {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `local_only`.
    pub fn local_only(mut self, local_only: bool) -> Self {
        self.local_only = local_only;
        self
    }

    /// Sets `allow_providers`.
    pub fn allow_providers(mut self, allow_providers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.allow_providers = Some(allow_providers.into_iter().map(Into::into).collect());
        self
    }
}

/// A provider id; for methods that need one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProviderChoice {
    pub provider: String,
}

impl ProviderChoice {
    /// Makes one with what is required.
    pub fn new(provider: impl Into<String>) -> Self {
        Self { provider: provider.into() }
    }
}

union! {
    /// How to reach a provider.
    closed ProviderConfig by "provider" {
        "anthropic" => Anthropic(AnthropicConfig),
        "azure" => Azure(AzureConfig),
        "cerebras" => Cerebras(CerebrasConfig),
        "deepseek" => Deepseek(DeepSeekConfig),
        "fireworks" => Fireworks(FireworksConfig),
        "google" => Google(GoogleConfig),
        "groq" => Groq(GroqConfig),
        "llama_server" => LlamaServer(LlamaServerConfig),
        "lmstudio" => Lmstudio(LMStudioConfig),
        "local" => Local(LocalConfig),
        "mistral" => Mistral(MistralConfig),
        "ollama" => Ollama(OllamaConfig),
        "openai" => Openai(OpenAIConfig),
        "openai_compatible" => OpenaiCompatible(CompatibleConfig),
        "openrouter" => Openrouter(OpenRouterConfig),
        "perplexity" => Perplexity(PerplexityConfig),
        "scripted" => Scripted(ScriptedConfig),
        "together" => Together(TogetherConfig),
        "vllm" => Vllm(VLLMConfig),
        "xai" => Xai(XAIConfig),
    }
}

/// A provider that can be used, or a configured instance of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProviderInfo {
    pub id: String,
    pub kind: String,
    pub name: String,
    pub configured: bool,
    pub active: bool,
    pub local: bool,
    pub needs_key: bool,
    pub key: KeyInfo,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub capabilities: Object,
}

/// All providers, and the state of the keychain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProviderList {
    pub providers: Vec<ProviderInfo>,
    pub keychain: KeychainState,
}

/// A tool that the provider runs itself. `definition` is passed through unchanged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "provider")]
#[non_exhaustive]
pub struct ProviderTool {
    pub definition: Object,
}

impl ProviderTool {
    /// Makes one with what is required.
    pub fn new(definition: Object) -> Self {
        Self { definition }
    }
}

enumeration! {
    /// What a vector is for.
    closed Purpose {
        Classification = "classification",
        Clustering = "clustering",
        Document = "document",
        Query = "query",
        Similarity = "similarity",
    }
}

/// What the provider, or the host, wants not to be exceeded; requests wait for their turn. No limit unless given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RateLimits {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<i64>,
}

impl RateLimits {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `requests_per_minute`.
    pub fn requests_per_minute(mut self, requests_per_minute: i64) -> Self {
        self.requests_per_minute = Some(requests_per_minute);
        self
    }

    /// Sets `tokens_per_minute`.
    pub fn tokens_per_minute(mut self, tokens_per_minute: i64) -> Self {
        self.tokens_per_minute = Some(tokens_per_minute);
        self
    }

    /// Sets `concurrency`.
    pub fn concurrency(mut self, concurrency: i64) -> Self {
        self.concurrency = Some(concurrency);
        self
    }
}

enumeration! {
    /// Why an answer ended.
    open Reason {
        Cancelled = "cancelled",
        ContentFilter = "content_filter",
        Error = "error",
        Length = "length",
        Other = "other",
        Pause = "pause",
        Refusal = "refusal",
        Stop = "stop",
        ToolCalls = "tool_calls",
    }
}

/// What the model thought: in full, as the provider's summary, or withheld.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "reasoning")]
#[non_exhaustive]
pub struct Reasoning {
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub text: String,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub form: ReasoningForm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opaque: Option<Opaque>,
}

impl Reasoning {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `text`.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    /// Sets `form`.
    pub fn form(mut self, form: ReasoningForm) -> Self {
        self.form = form;
        self
    }

    /// Sets `opaque`.
    pub fn opaque(mut self, opaque: Opaque) -> Self {
        self.opaque = Some(opaque);
        self
    }
}

/// More reasoning of the part at `index`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "reasoning")]
#[non_exhaustive]
pub struct ReasoningDelta {
    pub index: i64,
    pub text: String,
}

enumeration! {
    /// What stands in `Reasoning` as its form.
    #[derive(Default)]
    closed ReasoningForm {
        #[default] Full = "full",
        Redacted = "redacted",
        Summary = "summary",
    }
}

/// How much the model should think: an effort, or a budget in tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReasoningOptions {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_tokens: Option<i64>,
}

impl ReasoningOptions {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `effort`.
    pub fn effort(mut self, effort: Effort) -> Self {
        self.effort = Some(effort);
        self
    }

    /// Sets `budget_tokens`.
    pub fn budget_tokens(mut self, budget_tokens: i64) -> Self {
        self.budget_tokens = Some(budget_tokens);
        self
    }
}

/// What a model should be like. What is unknown of a model does not meet a demand.
///
/// Prices are limits in US dollars per million tokens. Without `providers` all are asked that can be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecommendParams {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub providers: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub capabilities: Vec<Capability>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_context: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_input_price: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_price: Option<f64>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub local_only: bool,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub prefer: Preference,
    #[serde(default = "recommend_params_limit::value", skip_serializing_if = "recommend_params_limit::is")]
    pub limit: i64,
}

impl Default for RecommendParams {
    fn default() -> Self {
        Self {
            providers: None,
            capabilities: Default::default(),
            min_context: None,
            max_input_price: None,
            max_output_price: None,
            local_only: Default::default(),
            prefer: Default::default(),
            limit: recommend_params_limit::value(),
        }
    }
}

impl RecommendParams {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `providers`.
    pub fn providers(mut self, providers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.providers = Some(providers.into_iter().map(Into::into).collect());
        self
    }

    /// Sets `capabilities`.
    pub fn capabilities(mut self, capabilities: impl Into<Vec<Capability>>) -> Self {
        self.capabilities = capabilities.into();
        self
    }

    /// Sets `min_context`.
    pub fn min_context(mut self, min_context: i64) -> Self {
        self.min_context = Some(min_context);
        self
    }

    /// Sets `max_input_price`.
    pub fn max_input_price(mut self, max_input_price: f64) -> Self {
        self.max_input_price = Some(max_input_price);
        self
    }

    /// Sets `max_output_price`.
    pub fn max_output_price(mut self, max_output_price: f64) -> Self {
        self.max_output_price = Some(max_output_price);
        self
    }

    /// Sets `local_only`.
    pub fn local_only(mut self, local_only: bool) -> Self {
        self.local_only = local_only;
        self
    }

    /// Sets `prefer`.
    pub fn prefer(mut self, prefer: Preference) -> Self {
        self.prefer = prefer;
        self
    }

    /// Sets `limit`.
    pub fn limit(mut self, limit: i64) -> Self {
        self.limit = limit;
        self
    }
}

/// A model that meets the demands. `score` is 0 to 1, `reasons` tell what it is made of.
///
/// `key` tells whether there is a key for its provider, `local` whether it runs on this machine, and `fits` whether
/// it has room in the memory there. `first_token_ms` and `output_tokens_per_second` are medians of what this
/// session saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recommendation {
    pub id: String,
    pub provider: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_length: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_modalities: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_modalities: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<Capability>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_efforts: Option<Vec<Effort>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_parameters: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<LifecycleStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shut_down: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<ModelPrice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loaded: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantization: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_template: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    pub key: bool,
    pub local: bool,
    pub score: f64,
    pub reasons: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fits: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens_per_second: Option<f64>,
}

/// The models, best first, and the providers that did not answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recommendations {
    pub models: Vec<Recommendation>,
    pub unavailable: Vec<Unavailable>,
}

/// The model's own words for declining.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "refusal")]
#[non_exhaustive]
pub struct Refusal {
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opaque: Option<Opaque>,
}

impl Refusal {
    /// Makes one with what is required.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), opaque: None }
    }

    /// Sets `opaque`.
    pub fn opaque(mut self, opaque: Opaque) -> Self {
        self.opaque = Some(opaque);
        self
    }
}

/// More of the refusal at `index`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "refusal")]
#[non_exhaustive]
pub struct RefusalDelta {
    pub index: i64,
    pub text: String,
}

/// Whether there was something to remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Removed {
    pub removed: bool,
}

union! {
    /// The form of the answer.
    closed ResponseFormat by "type" {
        "text" => Text(TextFormat),
        "json" => Json(JsonFormat),
        "json_schema" => JsonSchema(JsonSchemaFormat),
    }
}

/// How often a request that failed for a reason that may pass is sent again, before anything of its answer came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RetryOptions {
    #[serde(default = "retry_options_max_retries::value", skip_serializing_if = "retry_options_max_retries::is")]
    pub max_retries: i64,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self { max_retries: retry_options_max_retries::value() }
    }
}

impl RetryOptions {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `max_retries`.
    pub fn max_retries(mut self, max_retries: i64) -> Self {
        self.max_retries = max_retries;
        self
    }
}

enumeration! {
    /// Who speaks.
    closed Role {
        Assistant = "assistant",
        Developer = "developer",
        System = "system",
        Tool = "tool",
        User = "user",
    }
}

/// A key for a provider. It is sent only to the origin of `base_url`, or else to the provider's own origins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SaveCredential {
    pub provider: String,
    pub api_key: Secret,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
}

impl SaveCredential {
    /// Makes one with what is required.
    pub fn new(provider: impl Into<String>, api_key: impl Into<Secret>) -> Self {
        Self { provider: provider.into(), api_key: api_key.into(), base_url: None }
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }
}

/// A key that is kept, without the key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SavedCredential {
    pub provider: String,
    pub masked: String,
    pub origins: Vec<String>,
}

/// What was not paid thanks to caches, in decimal strings: the provider's prompt cache, and kept answers.
///
/// Of the prompt cache it is the balance: writing to it may cost more than reading from it has saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Savings {
    pub prompt_cache: String,
    pub response_cache: String,
    #[serde(default = "savings_currency::value", skip_serializing_if = "savings_currency::is")]
    pub currency: String,
}

/// A provider that plays the script in `provider_options.scripted`; there only with `--scripted`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "scripted")]
#[non_exhaustive]
pub struct ScriptedConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
}

impl ScriptedConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }
}

/// This process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServerInfo {
    pub name: String,
    pub version: String,
    pub pid: i64,
}

/// Which provider to make the active one: by a configuration, which is then kept, or by its id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SetActiveParams {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<ProviderConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

impl SetActiveParams {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `config`.
    pub fn config(mut self, config: impl Into<ProviderConfig>) -> Self {
        self.config = Some(config.into());
        self
    }

    /// Sets `provider`.
    pub fn provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }
}

enumeration! {
    /// Which deadline passed.
    open Stage {
        Connect = "connect",
        FirstToken = "first_token",
        Idle = "idle",
        Queue = "queue",
        Total = "total",
    }
}

enumeration! {
    /// A step of the diagnosis.
    open StageName {
        Answer = "answer",
        Auth = "auth",
        Config = "config",
        Dns = "dns",
        Engine = "engine",
        File = "file",
        Http = "http",
        Model = "model",
        Tcp = "tcp",
        Tls = "tls",
    }
}

enumeration! {
    /// What a stream is waiting for.
    open State {
        Connecting = "connecting",
        FallingBack = "falling_back",
        LoadingModel = "loading_model",
        Queued = "queued",
        RateLimited = "rate_limited",
        Retrying = "retrying",
        Stalled = "stalled",
        Thinking = "thinking",
        WaitingFirstToken = "waiting_first_token",
    }
}

/// Whether the ledger, budgets and kept answers are on disk, or in memory alone, and why.
///
/// With a `problem`, what is told is what has happened since; what was on disk is left as it is there, and both are
/// put together when the disk can be written again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StorageState {
    pub state: StorageStateState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

enumeration! {
    /// What stands in `StorageState` as its state.
    closed StorageStateState {
        Disk = "disk",
        Memory = "memory",
    }
}

/// `stream.chunk`: `seq` counts 0, 1, 2 … without gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StreamChunk {
    pub stream_id: String,
    pub seq: i64,
    pub delta: Delta,
}

/// A question whose answer is streamed. `stream_id` defaults to the request's id as a string.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StreamRequest {
    pub messages: Vec<Message>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub tools: Vec<Tool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel_tool_calls: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_format: Option<ResponseFormat>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<i64>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub stop: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_size: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<ReasoningOptions>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<Timeouts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryOptions>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Vec<Fallback>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheOptions>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub provider_options: BTreeMap<String, Object>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub on_unsupported: OnUnsupported,
    #[serde(
        default = "stream_request_include_message::value",
        skip_serializing_if = "stream_request_include_message::is"
    )]
    pub include_message: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_id: Option<String>,
}

impl StreamRequest {
    /// Makes one with what is required.
    pub fn new(messages: impl Into<Vec<Message>>) -> Self {
        Self {
            messages: messages.into(),
            provider: None,
            model: None,
            tools: Default::default(),
            tool_choice: None,
            parallel_tool_calls: None,
            response_format: None,
            max_tokens: None,
            temperature: None,
            top_p: None,
            top_k: None,
            stop: Default::default(),
            seed: None,
            frequency_penalty: None,
            presence_penalty: None,
            context_size: None,
            reasoning: None,
            timeouts: None,
            retry: None,
            fallback: None,
            cache: None,
            privacy: None,
            tags: Default::default(),
            provider_options: Default::default(),
            on_unsupported: Default::default(),
            include_message: stream_request_include_message::value(),
            stream_id: None,
        }
    }

    /// Sets `provider`.
    pub fn provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `tools`.
    pub fn tools(mut self, tools: impl Into<Vec<Tool>>) -> Self {
        self.tools = tools.into();
        self
    }

    /// Sets `tool_choice`.
    pub fn tool_choice(mut self, tool_choice: impl Into<ToolChoice>) -> Self {
        self.tool_choice = Some(tool_choice.into());
        self
    }

    /// Sets `parallel_tool_calls`.
    pub fn parallel_tool_calls(mut self, parallel_tool_calls: bool) -> Self {
        self.parallel_tool_calls = Some(parallel_tool_calls);
        self
    }

    /// Sets `response_format`.
    pub fn response_format(mut self, response_format: impl Into<ResponseFormat>) -> Self {
        self.response_format = Some(response_format.into());
        self
    }

    /// Sets `max_tokens`.
    pub fn max_tokens(mut self, max_tokens: i64) -> Self {
        self.max_tokens = Some(max_tokens);
        self
    }

    /// Sets `temperature`.
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Sets `top_p`.
    pub fn top_p(mut self, top_p: f64) -> Self {
        self.top_p = Some(top_p);
        self
    }

    /// Sets `top_k`.
    pub fn top_k(mut self, top_k: i64) -> Self {
        self.top_k = Some(top_k);
        self
    }

    /// Sets `stop`.
    pub fn stop(mut self, stop: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.stop = stop.into_iter().map(Into::into).collect();
        self
    }

    /// Sets `seed`.
    pub fn seed(mut self, seed: i64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets `frequency_penalty`.
    pub fn frequency_penalty(mut self, frequency_penalty: f64) -> Self {
        self.frequency_penalty = Some(frequency_penalty);
        self
    }

    /// Sets `presence_penalty`.
    pub fn presence_penalty(mut self, presence_penalty: f64) -> Self {
        self.presence_penalty = Some(presence_penalty);
        self
    }

    /// Sets `context_size`.
    pub fn context_size(mut self, context_size: i64) -> Self {
        self.context_size = Some(context_size);
        self
    }

    /// Sets `reasoning`.
    pub fn reasoning(mut self, reasoning: ReasoningOptions) -> Self {
        self.reasoning = Some(reasoning);
        self
    }

    /// Sets `timeouts`.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(timeouts);
        self
    }

    /// Sets `retry`.
    pub fn retry(mut self, retry: RetryOptions) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = Some(fallback.into());
        self
    }

    /// Sets `cache`.
    pub fn cache(mut self, cache: CacheOptions) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Sets `privacy`.
    pub fn privacy(mut self, privacy: Privacy) -> Self {
        self.privacy = Some(privacy);
        self
    }

    /// Sets `tags`.
    pub fn tags(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Sets `provider_options`.
    pub fn provider_options(mut self, provider_options: impl Into<BTreeMap<String, Object>>) -> Self {
        self.provider_options = provider_options.into();
        self
    }

    /// Sets `on_unsupported`.
    pub fn on_unsupported(mut self, on_unsupported: OnUnsupported) -> Self {
        self.on_unsupported = on_unsupported;
        self
    }

    /// Sets `include_message`.
    pub fn include_message(mut self, include_message: bool) -> Self {
        self.include_message = include_message;
        self
    }

    /// Sets `stream_id`.
    pub fn stream_id(mut self, stream_id: impl Into<String>) -> Self {
        self.stream_id = Some(stream_id.into());
        self
    }
}

/// `stream.status`: the latest state of a stream; not counted by `seq`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StreamStatus {
    pub state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<ModelName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<ModelName>,
    pub stream_id: String,
}

enumeration! {
    /// The way by which an answer in JSON was had.
    open StructuredOutput {
        Native = "native",
        Prompt = "prompt",
        Tool = "tool",
    }
}

enumeration! {
    /// What kind of task it is.
    open TaskKind {
        Download = "download",
        Load = "load",
    }
}

/// `task.progress`: the latest of a task counts. `task_id` is the caller's, or else the id of its request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TaskProgress {
    pub kind: TaskKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_bytes: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_second: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_ms: Option<i64>,
    pub task_id: String,
}

/// What to test: a configuration given here, one by id, or the active one.
///
/// With `probe`, a test that found no fault also asks the model a tiny question, which may cost something.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TestParams {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<ProviderConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub probe: bool,
}

impl TestParams {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `config`.
    pub fn config(mut self, config: impl Into<ProviderConfig>) -> Self {
        self.config = Some(config.into());
        self
    }

    /// Sets `provider`.
    pub fn provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Sets `probe`.
    pub fn probe(mut self, probe: bool) -> Self {
        self.probe = probe;
        self
    }
}

/// The stages in order, up to the first that failed. A failing provider is a result, not an error.
///
/// `usage` and `cost` are those of the question that was asked with `probe`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TestResult {
    pub ok: bool,
    pub provider: String,
    pub stages: Vec<TestStage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

/// One step of the diagnosis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TestStage {
    pub stage: StageName,
    pub ok: bool,
    pub ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorObject>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "text")]
#[non_exhaustive]
pub struct Text {
    pub text: String,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub citations: Vec<Citation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheHint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opaque: Option<Opaque>,
}

impl Text {
    /// Makes one with what is required.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), citations: Default::default(), cache: None, opaque: None }
    }

    /// Sets `citations`.
    pub fn citations(mut self, citations: impl Into<Vec<Citation>>) -> Self {
        self.citations = citations.into();
        self
    }

    /// Sets `cache`.
    pub fn cache(mut self, cache: CacheHint) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Sets `opaque`.
    pub fn opaque(mut self, opaque: Opaque) -> Self {
        self.opaque = Some(opaque);
        self
    }
}

/// More text of the part at `index`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "text")]
#[non_exhaustive]
pub struct TextDelta {
    pub index: i64,
    pub text: String,
}

/// Free text, the default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "text")]
#[non_exhaustive]
pub struct TextFormat {}

impl TextFormat {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }
}

/// Deadlines in milliseconds, over the provider's defaults. `total` is unlimited unless given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Timeouts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
}

impl Timeouts {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `connect`.
    pub fn connect(mut self, connect: i64) -> Self {
        self.connect = Some(connect);
        self
    }

    /// Sets `first_token`.
    pub fn first_token(mut self, first_token: i64) -> Self {
        self.first_token = Some(first_token);
        self
    }

    /// Sets `idle`.
    pub fn idle(mut self, idle: i64) -> Self {
        self.idle = Some(idle);
        self
    }

    /// Sets `total`.
    pub fn total(mut self, total: i64) -> Self {
        self.total = Some(total);
        self
    }
}

/// Milliseconds from the request's arrival.
///
/// Local models tell more: how long the answer waited for the model to be loaded, how long the part of the prompt
/// took that was not known from before, and the answer itself from its first token on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Timing {
    pub total_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "crate::declare::some")]
    pub load_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "crate::declare::some")]
    pub prompt_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "crate::declare::some")]
    pub generation_ms: Option<i64>,
}

/// Together AI.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "together")]
#[non_exhaustive]
pub struct TogetherConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
}

impl TogetherConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }
}

union! {
    /// What the model may use.
    closed Tool by "type" {
        "function" => Function(FunctionTool),
        "provider" => Provider(ProviderTool),
    }
}

/// A tool the model wants called. `arguments` is what the model wrote: JSON as a rule, but not always valid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "tool_call")]
#[non_exhaustive]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    pub arguments: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opaque: Option<Opaque>,
}

impl ToolCall {
    /// Makes one with what is required.
    pub fn new(id: impl Into<String>, name: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), arguments: arguments.into(), opaque: None }
    }

    /// Sets `opaque`.
    pub fn opaque(mut self, opaque: Opaque) -> Self {
        self.opaque = Some(opaque);
        self
    }
}

/// A tool call at `index`: first its `id` and `name`, whole, then fragments of its `arguments`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "tool_call")]
#[non_exhaustive]
pub struct ToolCallDelta {
    pub index: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub arguments: String,
}

choice! {
    /// Whether, and which, tools must be used.
    ToolChoice {
        b'"' => Mode(ToolChoiceMode),
        b'{' => Named(NamedTool) by "type" "function",
    }
}

enumeration! {
    /// What stands in `ToolChoice` as its mode.
    closed ToolChoiceMode {
        Auto = "auto",
        None = "none",
        Required = "required",
    }
}

/// What a tool answered, in a message of role `tool`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "tool_result")]
#[non_exhaustive]
pub struct ToolResult {
    pub tool_call_id: String,
    pub content: ToolResultContent,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub is_error: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheHint>,
}

impl ToolResult {
    /// Makes one with what is required.
    pub fn new(tool_call_id: impl Into<String>, content: impl Into<ToolResultContent>) -> Self {
        Self { tool_call_id: tool_call_id.into(), content: content.into(), is_error: Default::default(), cache: None }
    }

    /// Sets `is_error`.
    pub fn is_error(mut self, is_error: bool) -> Self {
        self.is_error = is_error;
        self
    }

    /// Sets `cache`.
    pub fn cache(mut self, cache: CacheHint) -> Self {
        self.cache = Some(cache);
        self
    }
}

choice! {
    /// What stands in `ToolResult` as its content.
    ToolResultContent {
        b'"' => Text(String),
        b'[' => Parts(Vec<ToolResultPart>),
    }
}

impl From<&str> for ToolResultContent {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

union! {
    /// A piece of what a tool answered.
    closed ToolResultPart by "type" {
        "text" => Text(Text),
        "file" => File(File),
    }
}

/// A provider that could not be asked, and the type of the error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Unavailable {
    pub provider: String,
    pub error_type: ErrorType,
}

/// Which model to unload. Answers in progress are waited for, or with `force` ended with `engine_crashed`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnloadParams {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub force: bool,
}

impl UnloadParams {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `provider`.
    pub fn provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `force`.
    pub fn force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }
}

/// How many workers were ended, and how much memory they had, where the system tells. They are gone by now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnloadedModel {
    pub unloaded: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freed_bytes: Option<i64>,
}

/// A page that the model cites for the characters `start` to `end` of the text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "url")]
#[non_exhaustive]
pub struct UrlCitation {
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<i64>,
}

impl UrlCitation {
    /// Makes one with what is required.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), title: None, quote: None, start: None, end: None }
    }

    /// Sets `title`.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets `quote`.
    pub fn quote(mut self, quote: impl Into<String>) -> Self {
        self.quote = Some(quote.into());
        self
    }

    /// Sets `start`.
    pub fn start(mut self, start: i64) -> Self {
        self.start = Some(start);
        self
    }

    /// Sets `end`.
    pub fn end(mut self, end: i64) -> Self {
        self.end = Some(end);
        self
    }
}

/// An address from which the provider (never the sidecar) fetches the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "url")]
#[non_exhaustive]
pub struct UrlSource {
    pub url: String,
}

impl UrlSource {
    /// Makes one with what is required.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into() }
    }
}

/// Token counts. Totals are inclusive; `null` (left out) is unknown, `0` is zero.
///
/// `input_tokens` counts uncached, cache-read and cache-written tokens; `output_tokens` includes
/// `reasoning_tokens`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_1h_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "crate::declare::some")]
    pub source: Option<UsageSource>,
}

/// The token counts so far; the latest counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "usage")]
#[non_exhaustive]
pub struct UsageDelta {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_1h_tokens: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "crate::declare::some")]
    pub source: Option<UsageSource>,
}

/// Some attempts together. Token counts are inclusive, as in `Usage`, and leave out what nobody counted.
///
/// `cost` is the sum of all known costs, and its `source` the least certain of theirs; `unpriced` is the number of
/// attempts that cost something unknown. Where these are all, the amount is `null`. `estimated` tells how many
/// attempts' tokens were estimated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UsageGroup {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<String>,
    pub attempts: i64,
    pub failed: i64,
    pub cancelled: i64,
    pub cached: i64,
    pub estimated: i64,
    pub unpriced: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub reasoning_tokens: i64,
    pub cache_read_tokens: i64,
    pub cache_write_tokens: i64,
    pub cost: Cost,
    pub savings: Savings,
}

/// Which attempts to count, days inclusive, and what to group them by. At most `limit` groups come, the first ones.
///
/// Grouped by tag, an attempt counts for each of its tags, also where only those with one `tag` count; in the total
/// it counts once. What has no tag is a group of its own, without `tag`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UsageQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub group_by: Vec<Grouping>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    #[serde(default = "usage_query_limit::value", skip_serializing_if = "usage_query_limit::is")]
    pub limit: i64,
}

impl Default for UsageQuery {
    fn default() -> Self {
        Self {
            since: None,
            until: None,
            group_by: Default::default(),
            provider: None,
            model: None,
            tag: None,
            limit: usage_query_limit::value(),
        }
    }
}

impl UsageQuery {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `since`.
    pub fn since(mut self, since: impl Into<String>) -> Self {
        self.since = Some(since.into());
        self
    }

    /// Sets `until`.
    pub fn until(mut self, until: impl Into<String>) -> Self {
        self.until = Some(until.into());
        self
    }

    /// Sets `group_by`.
    pub fn group_by(mut self, group_by: impl Into<Vec<Grouping>>) -> Self {
        self.group_by = group_by.into();
        self
    }

    /// Sets `provider`.
    pub fn provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `tag`.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Sets `limit`.
    pub fn limit(mut self, limit: i64) -> Self {
        self.limit = limit;
        self
    }
}

enumeration! {
    /// Who counted the tokens.
    open UsageSource {
        Estimated = "estimated",
        Reported = "reported",
    }
}

/// The groups, ordered by what they are grouped by, and all attempts together. `truncated` if there are more
/// groups.
///
/// Without a grouping there are no groups, only the total.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UsageSummary {
    pub groups: Vec<UsageGroup>,
    pub total: UsageGroup,
    pub truncated: bool,
    pub storage: StorageState,
}

/// vLLM.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "vllm")]
#[non_exhaustive]
pub struct VLLMConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
}

impl VLLMConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }
}

/// Something that was asked for and not done, or done differently.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Warning {
    #[serde(rename = "type")]
    pub kind: String,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
}

/// xAI. Its Chat Completions, `api: "chat"`, are deprecated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "provider", rename = "xai")]
#[non_exhaustive]
pub struct XAIConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub headers: BTreeMap<String, Secret>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub fallback: Vec<Fallback>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<RateLimits>,
    #[serde(default, skip_serializing_if = "crate::declare::is_default")]
    pub api: OpenAIApi,
}

impl XAIConfig {
    /// Makes one with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets `model`.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Sets `api_key`.
    pub fn api_key(mut self, api_key: impl Into<Secret>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Sets `base_url`.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// Sets `headers`.
    pub fn headers(mut self, headers: impl Into<BTreeMap<String, Secret>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Sets `fallback`.
    pub fn fallback(mut self, fallback: impl Into<Vec<Fallback>>) -> Self {
        self.fallback = fallback.into();
        self
    }

    /// Sets `rate_limits`.
    pub fn rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = Some(rate_limits);
        self
    }

    /// Sets `api`.
    pub fn api(mut self, api: OpenAIApi) -> Self {
        self.api = api;
        self
    }
}

events! {
    Text(TextDelta),
    Reasoning(ReasoningDelta),
    Refusal(RefusalDelta),
    ToolCall(ToolCallDelta),
    Part(PartDelta),
    Usage(UsageDelta),
}

defaults! {
    anthropic_config_api_version: String = "2023-06-01";
    budget_currency: String = "USD";
    budget_params_warn_at: f64 = 0.8;
    chat_request_include_message: bool = true;
    cost_currency: String = "USD";
    json_schema_format_name: String = "answer";
    limits_cache_answer_bytes: i64 = 4194304;
    limits_cache_bytes: i64 = 268435456;
    limits_cache_ttl_s: i64 = 2592000;
    limits_cooldown_ms: i64 = 30000;
    limits_exit_grace_ms: i64 = 2000;
    limits_hard_output_bytes: i64 = 67108864;
    limits_keychain_ms: i64 = 5000;
    limits_ledger_days: i64 = 800;
    limits_load_ms: i64 = 600000;
    limits_max_admitted_bytes: i64 = 268435456;
    limits_max_batch: i64 = 100;
    limits_max_chunk_bytes: i64 = 32768;
    limits_max_message_bytes: i64 = 67108864;
    limits_max_output_bytes: i64 = 536870912;
    limits_max_queued: i64 = 1024;
    limits_max_requests: i64 = 256;
    limits_max_streams: i64 = 64;
    limits_max_wait_ms: i64 = 120000;
    limits_soft_output_bytes: i64 = 1048576;
    limits_stalled_exit_ms: i64 = 10000;
    limits_stalled_stream_ms: i64 = 120000;
    limits_stdin_ahead_bytes: i64 = 8388608;
    limits_storage_ms: i64 = 5000;
    local_config_parallel: i64 = 4;
    recommend_params_limit: i64 = 20;
    retry_options_max_retries: i64 = 2;
    savings_currency: String = "USD";
    stream_request_include_message: bool = true;
    usage_query_limit: i64 = 1000;
}
