// Generated from protocol/ by `make protocol`; changes made here are lost.

/** The version of the protocol that the client speaks. */
export const PROTOCOL_VERSION = 1;

/** Any JSON object. */
export type JsonObject = Record<string, unknown>;

/**
 * The tag of an arm that this version of the client does not know: any other text. The tags of known arms are told
 * apart from it, so that a comparison narrows a union to one arm, and `default` is what is unknown.
 */
export declare enum UnknownTag {
  other = "",
}

/** The active provider, or null. */
export interface ActiveProvider {
  active: ConfiguredProvider | null;
}

/** Anthropic. `betas` are features to be turned on, `workspace_id` says which workspace is to be billed. */
export interface AnthropicConfig {
  provider: "anthropic";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
  api_version?: string;
  betas?: string[];
  workspace_id?: string | null;
}

/** One try at one target. `cached` is true where the response cache answered, and the target was not asked. */
export interface Attempt {
  provider: string;
  model: string;
  outcome: Outcome;
  duration_ms: number;
  error_type?: ErrorType | null;
  usage?: Usage | null;
  cost?: Cost | null;
  cached?: boolean;
}

/**
 * Azure OpenAI. `model` is the deployment's name.
 *
 * `base_url` is the resource (`https://NAME.openai.azure.com`) or its `/openai/v1`; with `api_version` the legacy
 * deployment paths are used, which know Chat Completions only. `api` is `chat` for deployments that do so, too.
 */
export interface AzureConfig {
  provider: "azure";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
  api?: OpenAIApi;
  api_version?: string | null;
}

/** The file itself, base64-encoded. */
export interface Base64Source {
  type: "base64";
  data: string;
}

/**
 * A budget as it stands. `reserved` is what requests in progress may cost; amounts are decimal strings.
 *
 * `unpriced` is the number of attempts in the period whose cost is unknown, and therefore not in `spent`.
 */
export interface Budget {
  id: string;
  amount: string;
  period: Period;
  warn_at: number;
  spent: string;
  reserved: string;
  state: BudgetState;
  unpriced?: number;
  currency?: string;
  tag?: string | null;
  resets_at?: string | null;
}

/** All budgets, and where they are kept. */
export interface BudgetList {
  budgets: Budget[];
  storage: StorageState;
}

/**
 * A budget in place of any other with its `id`; without an `amount` there is none any more.
 *
 * It counts the costs of the machine's local day, week (from Monday) or month, of requests with `tag` if given. From
 * `warn_at` of it on answers carry a warning; what would exceed it fails with `budget_exceeded` and is not sent.
 */
export interface BudgetParams {
  id: string;
  amount?: string | null;
  period?: Period;
  tag?: string | null;
  warn_at?: number;
}

/** What stands in `Budget` as its state. */
export type BudgetState = "exceeded" | "ok" | "warning";

/** Which answers to drop: all, or those that were asked for with `tag`. */
export interface CacheClearParams {
  tag?: string | null;
}

/** How many answers were dropped. */
export interface CacheCleared {
  removed: number;
}

/** Ask the provider to keep the prompt up to and including this part or tool. */
export interface CacheHint {
  ttl?: CacheHintTtl;
}

/** What stands in `CacheHint` as its ttl. */
export type CacheHintTtl = "1h" | "5m";

/** What the response cache does. */
export type CacheMode = "off" | "on" | "read" | "write";

/**
 * Whether a kept answer to the same request will do (`read`), whether this one is kept (`write`), or both (`on`).
 *
 * Kept answers are `ttl_s` seconds old at most, by the wish of whoever asks as of whoever had them kept.
 */
export interface CacheOptions {
  mode?: CacheMode;
  ttl_s?: number | null;
}

/**
 * `entries` and `bytes` are those of all kept answers, the rest counts from the start of this process.
 *
 * `joined` requests had their answer from one that was being asked at the same time.
 */
export interface CacheStats {
  entries: number;
  bytes: number;
  max_bytes: number;
  hits: number;
  misses: number;
  joined: number;
  stored: number;
  storage: StorageState;
}

/** Which stream to end. */
export interface CancelParams {
  stream_id: string;
}

/** The id of the pending request to cancel. */
export interface CancelRequestParams {
  id: Id;
}

/** Whether the stream was ended by this call; false when it had ended already or never was. */
export interface CancelResult {
  cancelled: boolean;
}

/** What a model can do. */
export type Capability =
  | "audio"
  | "documents"
  | "embeddings"
  | "image_generation"
  | "moderation"
  | "reasoning"
  | "reranking"
  | "speech"
  | "structured_output"
  | "tools"
  | "transcription"
  | "video"
  | "video_generation"
  | "vision"
  | "web_search"
  | (string & {});

/** What kind of thing went wrong. */
export type Category = "ai" | "config" | "internal" | "network" | "not_found" | "protocol" | (string & {});

/** Cerebras. */
export interface CerebrasConfig {
  provider: "cerebras";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
}

/**
 * What a question would take if it were asked. Null is unknown.
 *
 * `max_output_tokens` is the longest answer: the request's limit or the model's, whichever is lower. `fits` tells
 * whether the question, and the answer if the request limits it, have room in the context.
 */
export interface ChatEstimate {
  provider: string;
  model: string;
  input_tokens: number;
  source: UsageSource;
  max_output_tokens: number | null;
  context_length: number | null;
  fits: boolean | null;
  cost: CostEstimate;
  warnings: Warning[];
}

/** A question. Without `provider` it goes to the active one, without `model` to that provider's configured one. */
export interface ChatRequest {
  messages: Message[];
  provider?: string | null;
  model?: string | null;
  tools?: Tool[];
  tool_choice?: ToolChoice | null;
  parallel_tool_calls?: boolean | null;
  response_format?: ResponseFormat | null;
  max_tokens?: number | null;
  temperature?: number | null;
  top_p?: number | null;
  top_k?: number | null;
  stop?: string[];
  seed?: number | null;
  frequency_penalty?: number | null;
  presence_penalty?: number | null;
  context_size?: number | null;
  reasoning?: ReasoningOptions | null;
  timeouts?: Timeouts | null;
  retry?: RetryOptions | null;
  fallback?: Fallback[] | null;
  cache?: CacheOptions | null;
  privacy?: Privacy | null;
  tags?: string[];
  provider_options?: Record<string, JsonObject>;
  on_unsupported?: OnUnsupported;
  include_message?: boolean;
}

/**
 * The answer. For a stream, the message is what the deltas add up to, and `chunks` their number.
 *
 * `structured_output` tells by which way an answer in JSON was had: the provider's own, a tool that the model had to
 * call, or words alone. It was checked against the schema in any case. `cached` is true for an answer that was kept
 * from an earlier question, or came from one that was being asked at the same time.
 */
export interface ChatResult {
  message?: Message | null;
  finish_reason: FinishReason;
  usage: Usage;
  cost: Cost;
  timing: Timing;
  attempts: Attempt[];
  warnings: Warning[];
  provider: string;
  model: string;
  stream_id?: string;
  chunks?: number;
  structured_output?: StructuredOutput;
  cached?: boolean;
}

/** What a text refers to. */
export type Citation = UrlCitation | DocumentCitation | UnknownCitation;

/** A `Citation` that this version of the client does not know, with all its members. */
export interface UnknownCitation {
  type: UnknownTag;
  [member: string]: unknown;
}

/** The host app; its name is the keychain's service name unless `--app-id` is given. */
export interface ClientInfo {
  name: string;
  version?: string | null;
}

/** Any server that speaks OpenAI's Chat Completions. `base_url` is required. */
export interface CompatibleConfig {
  provider: "openai_compatible";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
}

/** A provider configuration. */
export interface ConfigParams {
  config: ProviderConfig;
}

/** A configuration as it now stands, without its secrets. */
export interface ConfiguredProvider {
  provider: string;
  kind: string;
  key: KeyInfo;
  model?: string | null;
  base_url?: string | null;
}

/**
 * What a request cost. `amount` is a decimal string; an unknown price is `null`, never 0.
 *
 * The provider's own figure counts first (`provider`), then the packaged prices (`table`), then those of the host
 * (`user`). What was answered from the response cache costs nothing (`cache`).
 */
export interface Cost {
  amount: string | null;
  currency?: string;
  source?: CostSource;
  estimated?: boolean;
}

/** What the question costs, and what question and answer cost at most; null where the answer has no known end. */
export interface CostEstimate {
  input: Cost;
  maximum: Cost | null;
}

/** Where the price comes from. */
export type CostSource = "cache" | "free" | "provider" | "table" | "unknown" | "user" | (string & {});

/** A provider's key; `base_url` says which, where the provider has several. */
export interface CredentialChoice {
  provider: string;
  base_url?: string | null;
}

/** A provider with a key in the keychain. */
export interface CredentialInfo {
  provider: string;
  has_api_key: boolean;
  origins: string[];
}

/** The providers with keys, and the state of the keychain. */
export interface CredentialList {
  credentials: CredentialInfo[];
  keychain: KeychainState;
}

/** Whether a key is kept, and as much of it as may be shown. */
export interface CredentialState {
  exists: boolean;
  masked?: string | null;
  origins?: string[];
}

/** A part that only its provider understands. */
export interface Custom {
  type: "custom";
  opaque: Opaque;
}

/** DeepSeek. */
export interface DeepSeekConfig {
  provider: "deepseek";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
}

/** The id of a model in the sidecar's own folder, as `models.list` tells it. */
export interface DeleteModelParams {
  model: string;
}

/** Whether there was a key to delete. */
export interface Deleted {
  deleted: boolean;
}

/** Whether there was something to delete, and how many bytes that freed. */
export interface DeletedModel {
  deleted: boolean;
  freed_bytes: number;
}

/** A piece of a streamed answer. */
export type Delta = TextDelta | ReasoningDelta | RefusalDelta | ToolCallDelta | PartDelta | UsageDelta | UnknownDelta;

/** A `Delta` that this version of the client does not know, with all its members. */
export interface UnknownDelta {
  type: UnknownTag;
  [member: string]: unknown;
}

/**
 * A place in a file of the conversation that the model cites: `start` to `end`, counted in `unit` from 0.
 *
 * `document` is the number of the file among those of the conversation, `file_id` the provider's own name for it.
 */
export interface DocumentCitation {
  type: "document";
  document?: number | null;
  file_id?: string | null;
  title?: string | null;
  quote?: string | null;
  unit?: DocumentCitationUnit | null;
  start?: number | null;
  end?: number | null;
}

/** What stands in `DocumentCitation` as its unit. */
export type DocumentCitationUnit = "block" | "character" | "page";

/**
 * Which model file to fetch: the one at `url`, or `file` of a hub's repository `repo`, named owner/name.
 *
 * Of a model that is split into several files any one may be named; all are fetched. `sha256` is what a single file
 * must have; without it the hub's word is taken, where it gives one. `revision` is a branch, a tag or a commit; `main`
 * where it is left out.
 */
export interface DownloadParams {
  url?: string | null;
  repo?: string | null;
  file?: string | null;
  revision?: string | null;
  sha256?: string | null;
  task_id?: string | null;
}

/**
 * A model that is there now, whole and checked. `path` is the first file of a split one, which has no `sha256`.
 *
 * `model` is its id.
 */
export interface DownloadedModel {
  model: string;
  path: string;
  size_bytes: number;
  sha256?: string | null;
}

/** How much the model should think. */
export type Effort = "high" | "low" | "max" | "medium" | "minimal" | "none" | "xhigh";

/**
 * Texts to be turned into vectors. Without `provider` they go to the active one.
 *
 * `dimensions` shortens the vectors where the model can do that; `purpose` says what they are for where it matters to
 * the model. `provider_options` are passed through, by provider.
 */
export interface EmbeddingRequest {
  input: string[];
  provider?: string | null;
  model?: string | null;
  dimensions?: number | null;
  purpose?: Purpose | null;
  provider_options?: Record<string, JsonObject>;
  on_unsupported?: OnUnsupported;
  privacy?: Privacy | null;
  tags?: string[];
}

/** One vector per text, in the order of the texts. */
export interface EmbeddingResult {
  vectors: number[][];
  usage: Usage;
  cost: Cost;
  warnings: Warning[];
  provider: string;
  model: string;
}

/** No members. */
export type Empty = JsonObject;

/** `error.data` of every error reply. */
export interface ErrorData {
  type: ErrorType;
  category: Category;
  retryable: boolean;
  retry_after_ms?: number | null;
  provider?: string | null;
  model?: string | null;
  http_status?: number | null;
  provider_code?: string | null;
  provider_request_id?: string | null;
  hint?: string | null;
  stage?: Stage | null;
  param?: string | null;
  attempts?: Attempt[] | null;
  partial?: Message | null;
  usage?: Usage | null;
  chunks?: number | null;
  stream_id?: string | null;
}

/** `error` of a JSON-RPC error reply. */
export interface ErrorObject {
  code: number;
  message: string;
  data: ErrorData;
}

/** What went wrong; what clients switch on. */
export type ErrorType =
  | "already_initialized"
  | "authentication"
  | "budget_exceeded"
  | "checksum_mismatch"
  | "client_stalled"
  | "connect"
  | "connection_closed"
  | "content_filtered"
  | "context_length_exceeded"
  | "credential_not_found"
  | "disk_full"
  | "dns"
  | "download_failed"
  | "duplicate_id"
  | "engine_crashed"
  | "engine_unavailable"
  | "insufficient_quota"
  | "internal_error"
  | "invalid_message"
  | "invalid_params"
  | "keyring_denied"
  | "keyring_locked"
  | "keyring_unavailable"
  | "malformed_response"
  | "message_too_large"
  | "method_not_found"
  | "model_file_invalid"
  | "model_in_use"
  | "model_not_found"
  | "not_batchable"
  | "not_initialized"
  | "origin_not_allowed"
  | "out_of_memory"
  | "output_invalid"
  | "parse_error"
  | "path_not_allowed"
  | "payload_too_large"
  | "permission_denied"
  | "privacy_blocked"
  | "provider_not_configured"
  | "provider_not_found"
  | "provider_overloaded"
  | "proxy"
  | "rate_limited"
  | "request_cancelled"
  | "request_rejected"
  | "server_busy"
  | "server_error"
  | "shutting_down"
  | "sidecar_not_found"
  | "stream_id_in_use"
  | "stream_interrupted"
  | "timeout"
  | "tls"
  | "unsupported_feature"
  | "unsupported_parameter"
  | "unsupported_protocol_version"
  | (string & {});

/**
 * Whom to ask instead, as long as nothing of an answer has come.
 *
 * `on` are the types of error after which; without it, those that another provider or model may not have.
 */
export interface Fallback {
  provider: string;
  model?: string | null;
  on?: ErrorType[];
}

/** An image, a document or a recording. `media_type` is a MIME type such as `image/png` or `application/pdf`. */
export interface File {
  type: "file";
  media_type: string;
  source: FileSource;
  filename?: string | null;
  detail?: FileDetail | null;
  cache?: CacheHint | null;
  opaque?: Opaque | null;
}

/** What stands in `File` as its detail. */
export type FileDetail = "auto" | "high" | "low";

/** Where a file is. */
export type FileSource = Base64Source | UrlSource | PathSource;

/** Why the answer ended: in the protocol's words, and in the provider's. */
export interface FinishReason {
  reason: Reason;
  raw?: string | null;
}

/** Fireworks AI. */
export interface FireworksConfig {
  provider: "fireworks";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
}

/** A function the host offers. `input_schema` is a JSON Schema of an object. */
export interface FunctionTool {
  type: "function";
  name: string;
  description?: string | null;
  input_schema?: JsonObject;
  strict?: boolean | null;
  cache?: CacheHint | null;
}

/** Google Gemini. A `base_url` without a path is completed by the version of the API. */
export interface GoogleConfig {
  provider: "google";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
}

/** Groq. */
export interface GroqConfig {
  provider: "groq";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
}

/** What attempts are grouped by. */
export type Grouping = "day" | "model" | "month" | "provider" | "tag";

/** What the caller chose; echoed verbatim. */
export type Id = string | number;

/** Opens the session. `process_id` is the host's: when it dies, the sidecar exits. */
export interface InitializeParams {
  protocol_version: number;
  client_info: ClientInfo;
  process_id?: number | null;
  capabilities?: JsonObject;
  options?: JsonObject;
}

/** `protocol_version` is the lower of the client's and the server's major version. */
export interface InitializeResult {
  protocol_version: number;
  server_info: ServerInfo;
  capabilities: JsonObject;
  limits: Limits;
}

/** Any JSON object. */
export interface JsonFormat {
  type: "json";
}

/** JSON that matches `schema`. */
export interface JsonSchemaFormat {
  type: "json_schema";
  schema: JsonObject;
  name?: string;
  description?: string | null;
  strict?: boolean | null;
}

/** Where the key comes from, and as much of it as may be shown: of a saved key nothing until it was used. */
export interface KeyInfo {
  source: KeySource;
  masked?: string | null;
}

/** Where a key comes from. */
export type KeySource = "config" | "environment" | "keychain" | "memory" | "none" | (string & {});

/** Whether keys can be kept. `unknown` until the keychain is first used. */
export interface KeychainState {
  state: KeychainStatus;
  backend?: string | null;
  hint?: string | null;
}

/** Whether the keychain works. */
export type KeychainStatus = "denied" | "locked" | "ok" | "unavailable" | "unknown" | (string & {});

/** LM Studio. */
export interface LMStudioConfig {
  provider: "lmstudio";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
}

/** Whether a model will go on being there. */
export type LifecycleStatus = "active" | "deprecated" | "retired" | (string & {});

/** Every bound of the process; set by `--limit NAME=N` or `[limits]`. Bytes and milliseconds. */
export interface Limits {
  max_message_bytes?: number;
  max_admitted_bytes?: number;
  max_requests?: number;
  max_streams?: number;
  max_batch?: number;
  stdin_ahead_bytes?: number;
  soft_output_bytes?: number;
  hard_output_bytes?: number;
  max_output_bytes?: number;
  max_chunk_bytes?: number;
  stalled_exit_ms?: number;
  stalled_stream_ms?: number;
  exit_grace_ms?: number;
  keychain_ms?: number;
  load_ms?: number;
  local_memory_bytes?: number;
  max_queued?: number;
  max_wait_ms?: number;
  cooldown_ms?: number;
  cache_bytes?: number;
  cache_answer_bytes?: number;
  cache_ttl_s?: number;
  ledger_days?: number;
  storage_ms?: number;
}

/** llama.cpp's llama-server. */
export interface LlamaServerConfig {
  provider: "llama_server";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
}

/**
 * Which model to load. `context_size` is in tokens; the configuration says what is left out.
 *
 * `task_id` names the task in `task.progress`; the default is the id of the request.
 */
export interface LoadParams {
  provider?: string | null;
  model?: string | null;
  context_size?: number | null;
  task_id?: string | null;
}

/**
 * A model that is ready. So many `parallel` answers are made at once; they share the context.
 *
 * `load_ms` is how long loading took, also where that was before; `memory_bytes` what the model takes now.
 */
export interface LoadedModel {
  provider: string;
  model: string;
  runtime: string;
  context_size: number;
  parallel: number;
  memory_bytes: number;
  load_ms: number;
}

/**
 * GGUF files, run by llama.cpp in worker processes.
 *
 * `model_path` is the file that is meant where a request names no model; `models.list` tells of the others.
 * `keep_alive_s` is for how many seconds an unused model stays in memory: 0 until its answer is there, null or a
 * negative number for ever. `parallel` answers at most are made at once; they share the context.
 */
export interface LocalConfig {
  provider: "local";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
  model_path?: string | null;
  context_size?: number | null;
  threads?: number | null;
  gpu_layers?: number | null;
  runtime?: LocalConfigRuntime;
  keep_alive_s?: number | null;
  parallel?: number;
}

/** What stands in `LocalConfig` as its runtime. */
export type LocalConfigRuntime = "auto" | "llama-cpp-python" | "xllamacpp";

/** The rates of a request with more than `above` input tokens, where they differ; they hold for all its tokens. */
export interface LongContextRates {
  input?: string | null;
  output?: string | null;
  cache_read?: string | null;
  cache_write?: string | null;
  cache_write_1h?: string | null;
  reasoning?: string | null;
  input_audio?: string | null;
  output_audio?: string | null;
  above: number;
}

/** One turn. Assistant messages carry their `origin`, so that a conversation can change model half-way. */
export interface Message {
  role: Role;
  content: MessageContent;
  origin?: Origin | null;
}

/** What stands in `Message` as its content. */
export type MessageContent = string | Part[];

/** Mistral. */
export interface MistralConfig {
  provider: "mistral";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
}

/**
 * A model. What is left out is unknown. `shut_down` is the day of its end, as in 2027-01-14.
 *
 * Of models on this machine: `source` is whose folder the file is in, `models` being the sidecar's own; `size_bytes` is
 * what its files take, `memory_bytes` about what it takes in memory with its usual context (where it is loaded: what it
 * takes now), `parameters` how many numbers are in it, `chat_template` whether it says how it is talked to, and
 * `problem` why it cannot be used.
 */
export interface ModelInfo {
  id: string;
  provider: string;
  name?: string | null;
  owned_by?: string | null;
  created?: number | null;
  context_length?: number | null;
  max_output_tokens?: number | null;
  input_modalities?: string[] | null;
  output_modalities?: string[] | null;
  capabilities?: Capability[] | null;
  reasoning_efforts?: Effort[] | null;
  supported_parameters?: string[] | null;
  lifecycle?: LifecycleStatus | null;
  shut_down?: string | null;
  successor?: string | null;
  price?: ModelPrice | null;
  size_bytes?: number | null;
  loaded?: boolean | null;
  memory_bytes?: number | null;
  source?: string | null;
  architecture?: string | null;
  parameters?: number | null;
  quantization?: string | null;
  chat_template?: boolean | null;
  problem?: string | null;
}

/** The provider's models, in its own order. */
export interface ModelList {
  provider: string;
  models: ModelInfo[];
}

/** A model of a provider. */
export interface ModelName {
  provider: string;
  model: string;
}

/**
 * What a model costs now: by the provider's own word, by the table that comes with the sidecar, or by the host's.
 *
 * What costs nothing is `free`. `request` is what each request costs beside its tokens, in US dollars.
 */
export interface ModelPrice {
  input?: string | null;
  output?: string | null;
  cache_read?: string | null;
  cache_write?: string | null;
  cache_write_1h?: string | null;
  reasoning?: string | null;
  input_audio?: string | null;
  output_audio?: string | null;
  source: PriceSource;
  request?: string | null;
  long_context?: LongContextRates[];
}

/** The one tool that the model must call. */
export interface NamedTool {
  type: "function";
  name: string;
}

/**
 * Ollama. `context_size` in tokens, and `keep_alive`, such as `10m`, say how a model is loaded.
 *
 * Without a context size the server takes its own, and silently cuts what does not fit.
 */
export interface OllamaConfig {
  provider: "ollama";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
  context_size?: number | null;
  keep_alive?: OllamaConfigKeepAlive | null;
}

/** What stands in `OllamaConfig` as its keepalive. */
export type OllamaConfigKeepAlive = string | number;

/** What happens to an option that a model lacks. */
export type OnUnsupported = "error" | "warn";

/** Provider data to be sent back unchanged, such as a signature. `data` is the provider's JSON, verbatim. */
export interface Opaque {
  data: string;
  origin: Origin;
}

/** Which of its APIs a provider is asked over. */
export type OpenAIApi = "chat" | "responses";

/**
 * OpenAI. A `base_url` on an Azure host makes it an Azure configuration.
 *
 * `api` is `chat` for servers, and where it must be for models, that speak Chat Completions only.
 */
export interface OpenAIConfig {
  provider: "openai";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
  api?: OpenAIApi;
  organization?: string | null;
  project?: string | null;
}

/** OpenRouter. `site_url` and `app_name` are how the app appears in its rankings. */
export interface OpenRouterConfig {
  provider: "openrouter";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
  site_url?: string | null;
  app_name?: string | null;
}

/** The OpenRPC document of this server, as in `protocol/openrpc.json`. */
export interface OpenRpc {
  openrpc: string;
  info: JsonObject;
  methods: JsonObject[];
  "x-notifications"?: JsonObject[];
  components?: JsonObject;
}

/** A provider id, or the active provider when left out. */
export interface OptionalProvider {
  provider?: string | null;
}

/** Who wrote something: opaque data goes back only where all three match. */
export interface Origin {
  provider: string;
  endpoint: string;
  model: string;
}

/** How an attempt ended. */
export type Outcome = "cancelled" | "error" | "ok" | (string & {});

/** A piece of a message. */
export type Part = Text | File | Reasoning | ToolCall | ToolResult | Refusal | Custom | UnknownPart;

/** A `Part` that this version of the client does not know, with all its members. */
export interface UnknownPart {
  type: UnknownTag;
  [member: string]: unknown;
}

/** A whole part, which replaces the deltas of its index: a non-text part, or one with opaque data. */
export interface PartDelta {
  type: "part";
  index: number;
  part: Part;
}

/** A file on this machine, inside a folder named by `--allow-path`. */
export interface PathSource {
  type: "path";
  path: string;
}

/** What a budget is for. */
export type Period = "day" | "month" | "total" | "week";

/** Perplexity. */
export interface PerplexityConfig {
  provider: "perplexity";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
}

/** `uptime_ms` counts from the start of the process. */
export interface Pong {
  uptime_ms: number;
}

/** What models are ranked by. */
export type Preference = "balanced" | "context" | "latency" | "price";

/** Who says what a model costs. */
export type PriceSource = "free" | "provider" | "table" | "user" | (string & {});

/** Where a request may go: with `local_only` nowhere beyond this machine, else to `allow_providers` if given. */
export interface Privacy {
  local_only?: boolean;
  allow_providers?: string[] | null;
}

/** A provider id; for methods that need one. */
export interface ProviderChoice {
  provider: string;
}

/** How to reach a provider. */
export type ProviderConfig =
  | AnthropicConfig
  | AzureConfig
  | CerebrasConfig
  | DeepSeekConfig
  | FireworksConfig
  | GoogleConfig
  | GroqConfig
  | LlamaServerConfig
  | LMStudioConfig
  | LocalConfig
  | MistralConfig
  | OllamaConfig
  | OpenAIConfig
  | CompatibleConfig
  | OpenRouterConfig
  | PerplexityConfig
  | ScriptedConfig
  | TogetherConfig
  | VLLMConfig
  | XAIConfig;

/** A provider that can be used, or a configured instance of one. */
export interface ProviderInfo {
  id: string;
  kind: string;
  name: string;
  configured: boolean;
  active: boolean;
  local: boolean;
  needs_key: boolean;
  key: KeyInfo;
  model?: string | null;
  base_url?: string | null;
  capabilities?: JsonObject;
}

/** All providers, and the state of the keychain. */
export interface ProviderList {
  providers: ProviderInfo[];
  keychain: KeychainState;
}

/** A tool that the provider runs itself. `definition` is passed through unchanged. */
export interface ProviderTool {
  type: "provider";
  definition: JsonObject;
}

/** What a vector is for. */
export type Purpose = "classification" | "clustering" | "document" | "query" | "similarity";

/** What the provider, or the host, wants not to be exceeded; requests wait for their turn. No limit unless given. */
export interface RateLimits {
  requests_per_minute?: number | null;
  tokens_per_minute?: number | null;
  concurrency?: number | null;
}

/** Why an answer ended. */
export type Reason =
  | "cancelled"
  | "content_filter"
  | "error"
  | "length"
  | "other"
  | "pause"
  | "refusal"
  | "stop"
  | "tool_calls"
  | (string & {});

/** What the model thought: in full, as the provider's summary, or withheld. */
export interface Reasoning {
  type: "reasoning";
  text?: string;
  form?: ReasoningForm;
  opaque?: Opaque | null;
}

/** More reasoning of the part at `index`. */
export interface ReasoningDelta {
  type: "reasoning";
  index: number;
  text: string;
}

/** What stands in `Reasoning` as its form. */
export type ReasoningForm = "full" | "redacted" | "summary";

/** How much the model should think: an effort, or a budget in tokens. */
export interface ReasoningOptions {
  effort?: Effort | null;
  budget_tokens?: number | null;
}

/**
 * What a model should be like. What is unknown of a model does not meet a demand.
 *
 * Prices are limits in US dollars per million tokens. Without `providers` all are asked that can be used.
 */
export interface RecommendParams {
  providers?: string[] | null;
  capabilities?: Capability[];
  min_context?: number | null;
  max_input_price?: number | null;
  max_output_price?: number | null;
  local_only?: boolean;
  prefer?: Preference;
  limit?: number;
}

/**
 * A model that meets the demands. `score` is 0 to 1, `reasons` tell what it is made of.
 *
 * `key` tells whether there is a key for its provider, `local` whether it runs on this machine, and `fits` whether it
 * has room in the memory there. `first_token_ms` and `output_tokens_per_second` are medians of what this session saw.
 */
export interface Recommendation {
  id: string;
  provider: string;
  name?: string | null;
  owned_by?: string | null;
  created?: number | null;
  context_length?: number | null;
  max_output_tokens?: number | null;
  input_modalities?: string[] | null;
  output_modalities?: string[] | null;
  capabilities?: Capability[] | null;
  reasoning_efforts?: Effort[] | null;
  supported_parameters?: string[] | null;
  lifecycle?: LifecycleStatus | null;
  shut_down?: string | null;
  successor?: string | null;
  price?: ModelPrice | null;
  size_bytes?: number | null;
  loaded?: boolean | null;
  memory_bytes?: number | null;
  source?: string | null;
  architecture?: string | null;
  parameters?: number | null;
  quantization?: string | null;
  chat_template?: boolean | null;
  problem?: string | null;
  key: boolean;
  local: boolean;
  score: number;
  reasons: string[];
  fits?: boolean | null;
  first_token_ms?: number | null;
  output_tokens_per_second?: number | null;
}

/** The models, best first, and the providers that did not answer. */
export interface Recommendations {
  models: Recommendation[];
  unavailable: Unavailable[];
}

/** The model's own words for declining. */
export interface Refusal {
  type: "refusal";
  text: string;
  opaque?: Opaque | null;
}

/** More of the refusal at `index`. */
export interface RefusalDelta {
  type: "refusal";
  index: number;
  text: string;
}

/** Whether there was something to remove. */
export interface Removed {
  removed: boolean;
}

/** The form of the answer. */
export type ResponseFormat = TextFormat | JsonFormat | JsonSchemaFormat;

/** How often a request that failed for a reason that may pass is sent again, before anything of its answer came. */
export interface RetryOptions {
  max_retries?: number;
}

/** Who speaks. */
export type Role = "assistant" | "developer" | "system" | "tool" | "user";

/** A key for a provider. It is sent only to the origin of `base_url`, or else to the provider's own origins. */
export interface SaveCredential {
  provider: string;
  api_key: Secret;
  base_url?: string | null;
}

/** A key that is kept, without the key. */
export interface SavedCredential {
  provider: string;
  masked: string;
  origins: string[];
}

/**
 * What was not paid thanks to caches, in decimal strings: the provider's prompt cache, and kept answers.
 *
 * Of the prompt cache it is the balance: writing to it may cost more than reading from it has saved.
 */
export interface Savings {
  prompt_cache: string;
  response_cache: string;
  currency?: string;
}

/** A provider that plays the script in `provider_options.scripted`; there only with `--scripted`. */
export interface ScriptedConfig {
  provider: "scripted";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
}

/** A key. It is taken, and never shown again. */
export type Secret = string;

/** This process. */
export interface ServerInfo {
  name: string;
  version: string;
  pid: number;
}

/** Which provider to make the active one: by a configuration, which is then kept, or by its id. */
export interface SetActiveParams {
  config?: ProviderConfig | null;
  provider?: string | null;
}

/** Which deadline passed. */
export type Stage = "connect" | "first_token" | "idle" | "queue" | "total" | (string & {});

/** A step of the diagnosis. */
export type StageName =
  | "answer"
  | "auth"
  | "config"
  | "dns"
  | "engine"
  | "file"
  | "http"
  | "model"
  | "tcp"
  | "tls"
  | (string & {});

/** What a stream is waiting for. */
export type State =
  | "connecting"
  | "falling_back"
  | "loading_model"
  | "queued"
  | "rate_limited"
  | "retrying"
  | "stalled"
  | "thinking"
  | "waiting_first_token"
  | (string & {});

/**
 * Whether the ledger, budgets and kept answers are on disk, or in memory alone, and why.
 *
 * With a `problem`, what is told is what has happened since; what was on disk is left as it is there, and both are put
 * together when the disk can be written again.
 */
export interface StorageState {
  state: StorageStateState;
  problem?: string | null;
  hint?: string | null;
}

/** What stands in `StorageState` as its state. */
export type StorageStateState = "disk" | "memory";

/** `stream.chunk`: `seq` counts 0, 1, 2 … without gaps. */
export interface StreamChunk {
  stream_id: string;
  seq: number;
  delta: Delta;
}

/** A question whose answer is streamed. `stream_id` defaults to the request's id as a string. */
export interface StreamRequest {
  messages: Message[];
  provider?: string | null;
  model?: string | null;
  tools?: Tool[];
  tool_choice?: ToolChoice | null;
  parallel_tool_calls?: boolean | null;
  response_format?: ResponseFormat | null;
  max_tokens?: number | null;
  temperature?: number | null;
  top_p?: number | null;
  top_k?: number | null;
  stop?: string[];
  seed?: number | null;
  frequency_penalty?: number | null;
  presence_penalty?: number | null;
  context_size?: number | null;
  reasoning?: ReasoningOptions | null;
  timeouts?: Timeouts | null;
  retry?: RetryOptions | null;
  fallback?: Fallback[] | null;
  cache?: CacheOptions | null;
  privacy?: Privacy | null;
  tags?: string[];
  provider_options?: Record<string, JsonObject>;
  on_unsupported?: OnUnsupported;
  include_message?: boolean;
  stream_id?: string | null;
}

/** `stream.status`: the latest state of a stream; not counted by `seq`. */
export interface StreamStatus {
  state: State;
  progress?: number | null;
  ms?: number | null;
  attempt?: number | null;
  wait_ms?: number | null;
  from?: ModelName | null;
  to?: ModelName | null;
  stream_id: string;
}

/** The way by which an answer in JSON was had. */
export type StructuredOutput = "native" | "prompt" | "tool" | (string & {});

/** What kind of task it is. */
export type TaskKind = "download" | "load" | (string & {});

/** `task.progress`: the latest of a task counts. `task_id` is the caller's, or else the id of its request. */
export interface TaskProgress {
  kind: TaskKind;
  progress?: number | null;
  bytes?: number | null;
  total_bytes?: number | null;
  bytes_per_second?: number | null;
  eta_ms?: number | null;
  task_id: string;
}

/**
 * What to test: a configuration given here, one by id, or the active one.
 *
 * With `probe`, a test that found no fault also asks the model a tiny question, which may cost something.
 */
export interface TestParams {
  config?: ProviderConfig | null;
  provider?: string | null;
  probe?: boolean;
}

/**
 * The stages in order, up to the first that failed. A failing provider is a result, not an error.
 *
 * `usage` and `cost` are those of the question that was asked with `probe`.
 */
export interface TestResult {
  ok: boolean;
  provider: string;
  stages: TestStage[];
  url?: string | null;
  model?: string | null;
  usage?: Usage | null;
  cost?: Cost | null;
}

/** One step of the diagnosis. */
export interface TestStage {
  stage: StageName;
  ok: boolean;
  ms: number;
  error?: ErrorObject | null;
  hint?: string | null;
}

/** Words. */
export interface Text {
  type: "text";
  text: string;
  citations?: Citation[];
  cache?: CacheHint | null;
  opaque?: Opaque | null;
}

/** More text of the part at `index`. */
export interface TextDelta {
  type: "text";
  index: number;
  text: string;
}

/** Free text, the default. */
export interface TextFormat {
  type: "text";
}

/** Deadlines in milliseconds, over the provider's defaults. `total` is unlimited unless given. */
export interface Timeouts {
  connect?: number | null;
  first_token?: number | null;
  idle?: number | null;
  total?: number | null;
}

/**
 * Milliseconds from the request's arrival.
 *
 * Local models tell more: how long the answer waited for the model to be loaded, how long the part of the prompt took
 * that was not known from before, and the answer itself from its first token on.
 */
export interface Timing {
  total_ms: number;
  first_token_ms?: number | null;
  load_ms?: number;
  prompt_ms?: number;
  generation_ms?: number;
}

/** Together AI. */
export interface TogetherConfig {
  provider: "together";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
}

/** What the model may use. */
export type Tool = FunctionTool | ProviderTool;

/** A tool the model wants called. `arguments` is what the model wrote: JSON as a rule, but not always valid. */
export interface ToolCall {
  type: "tool_call";
  id: string;
  name: string;
  arguments: string;
  opaque?: Opaque | null;
}

/** A tool call at `index`: first its `id` and `name`, whole, then fragments of its `arguments`. */
export interface ToolCallDelta {
  type: "tool_call";
  index: number;
  id?: string | null;
  name?: string | null;
  arguments?: string;
}

/** Whether, and which, tools must be used. */
export type ToolChoice = ToolChoiceMode | NamedTool;

/** What stands in `ToolChoice` as its mode. */
export type ToolChoiceMode = "auto" | "none" | "required";

/** What a tool answered, in a message of role `tool`. */
export interface ToolResult {
  type: "tool_result";
  tool_call_id: string;
  content: ToolResultContent;
  is_error?: boolean;
  cache?: CacheHint | null;
}

/** What stands in `ToolResult` as its content. */
export type ToolResultContent = string | ToolResultPart[];

/** A piece of what a tool answered. */
export type ToolResultPart = Text | File;

/** A provider that could not be asked, and the type of the error. */
export interface Unavailable {
  provider: string;
  error_type: ErrorType;
}

/** Which model to unload. Answers in progress are waited for, or with `force` ended with `engine_crashed`. */
export interface UnloadParams {
  provider?: string | null;
  model?: string | null;
  force?: boolean;
}

/** How many workers were ended, and how much memory they had, where the system tells. They are gone by now. */
export interface UnloadedModel {
  unloaded: number;
  freed_bytes?: number | null;
}

/** A page that the model cites for the characters `start` to `end` of the text. */
export interface UrlCitation {
  type: "url";
  url: string;
  title?: string | null;
  quote?: string | null;
  start?: number | null;
  end?: number | null;
}

/** An address from which the provider (never the sidecar) fetches the file. */
export interface UrlSource {
  type: "url";
  url: string;
}

/**
 * Token counts. Totals are inclusive; `null` (left out) is unknown, `0` is zero.
 *
 * `input_tokens` counts uncached, cache-read and cache-written tokens; `output_tokens` includes `reasoning_tokens`.
 */
export interface Usage {
  input_tokens?: number | null;
  output_tokens?: number | null;
  reasoning_tokens?: number | null;
  cache_read_tokens?: number | null;
  cache_write_tokens?: number | null;
  cache_write_1h_tokens?: number | null;
  source?: UsageSource;
}

/** The token counts so far; the latest counts. */
export interface UsageDelta {
  type: "usage";
  input_tokens?: number | null;
  output_tokens?: number | null;
  reasoning_tokens?: number | null;
  cache_read_tokens?: number | null;
  cache_write_tokens?: number | null;
  cache_write_1h_tokens?: number | null;
  source?: UsageSource;
}

/**
 * Some attempts together. Token counts are inclusive, as in `Usage`, and leave out what nobody counted.
 *
 * `cost` is the sum of all known costs, and its `source` the least certain of theirs; `unpriced` is the number of
 * attempts that cost something unknown. Where these are all, the amount is `null`. `estimated` tells how many attempts'
 * tokens were estimated.
 */
export interface UsageGroup {
  provider?: string | null;
  model?: string | null;
  tag?: string | null;
  day?: string | null;
  month?: string | null;
  attempts: number;
  failed: number;
  cancelled: number;
  cached: number;
  estimated: number;
  unpriced: number;
  input_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
  cost: Cost;
  savings: Savings;
}

/**
 * Which attempts to count, days inclusive, and what to group them by. At most `limit` groups come, the first ones.
 *
 * Grouped by tag, an attempt counts for each of its tags, also where only those with one `tag` count; in the total it
 * counts once. What has no tag is a group of its own, without `tag`.
 */
export interface UsageQuery {
  since?: string | null;
  until?: string | null;
  group_by?: Grouping[];
  provider?: string | null;
  model?: string | null;
  tag?: string | null;
  limit?: number;
}

/** Who counted the tokens. */
export type UsageSource = "estimated" | "reported" | (string & {});

/**
 * The groups, ordered by what they are grouped by, and all attempts together. `truncated` if there are more groups.
 *
 * Without a grouping there are no groups, only the total.
 */
export interface UsageSummary {
  groups: UsageGroup[];
  total: UsageGroup;
  truncated: boolean;
  storage: StorageState;
}

/** vLLM. */
export interface VLLMConfig {
  provider: "vllm";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
}

/** Something that was asked for and not done, or done differently. */
export interface Warning {
  type: string;
  message: string;
  param?: string | null;
}

/** xAI. Its Chat Completions, `api: "chat"`, are deprecated. */
export interface XAIConfig {
  provider: "xai";
  id?: string | null;
  model?: string | null;
  api_key?: Secret | null;
  base_url?: string | null;
  headers?: Record<string, Secret>;
  fallback?: Fallback[];
  rate_limits?: RateLimits | null;
  api?: OpenAIApi;
}
