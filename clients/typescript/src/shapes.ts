// Generated from protocol/ by `make protocol`; changes made here are lost.

import {
  type Check,
  boolean,
  either,
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  optional,
  record,
  string,
  union,
} from "./check.js";
import type { Methods } from "./methods.js";

export const KeySource: Check = string;

export const KeyInfo: Check = record({
  source: KeySource,
  masked: nullable(string),
});

export const ConfiguredProvider: Check = record({
  provider: string,
  kind: string,
  key: KeyInfo,
  model: nullable(string),
  base_url: nullable(string),
});

export const ActiveProvider: Check = record({
  active: nullable(ConfiguredProvider),
});

export const Period: Check = oneOf("day", "month", "total", "week");

export const BudgetState: Check = oneOf("exceeded", "ok", "warning");

export const Budget: Check = record({
  id: string,
  amount: string,
  period: Period,
  warn_at: number,
  spent: string,
  reserved: string,
  state: BudgetState,
  unpriced: optional(integer),
  currency: optional(string),
  tag: nullable(string),
  resets_at: nullable(string),
});

export const StorageStateState: Check = oneOf("disk", "memory");

export const StorageState: Check = record({
  state: StorageStateState,
  problem: nullable(string),
  hint: nullable(string),
});

export const BudgetList: Check = record({
  budgets: list(Budget),
  storage: StorageState,
});

export const CacheCleared: Check = record({
  removed: integer,
});

export const CacheStats: Check = record({
  entries: integer,
  bytes: integer,
  max_bytes: integer,
  hits: integer,
  misses: integer,
  joined: integer,
  stored: integer,
  storage: StorageState,
});

export const CancelResult: Check = record({
  cancelled: boolean,
});

export const UsageSource: Check = string;

export const CostSource: Check = string;

export const Cost: Check = record({
  amount: nullable(string),
  currency: optional(string),
  source: optional(CostSource),
  estimated: optional(boolean),
});

export const CostEstimate: Check = record({
  input: Cost,
  maximum: nullable(Cost),
});

export const Warning: Check = record({
  type: string,
  message: string,
  param: nullable(string),
});

export const ChatEstimate: Check = record({
  provider: string,
  model: string,
  input_tokens: integer,
  source: UsageSource,
  max_output_tokens: nullable(integer),
  context_length: nullable(integer),
  fits: nullable(boolean),
  cost: CostEstimate,
  warnings: list(Warning),
});

export const Role: Check = oneOf("assistant", "developer", "system", "tool", "user");

export const UrlCitation: Check = record({
  url: string,
  title: nullable(string),
  quote: nullable(string),
  start: nullable(integer),
  end: nullable(integer),
});

export const DocumentCitationUnit: Check = oneOf("block", "character", "page");

export const DocumentCitation: Check = record({
  document: nullable(integer),
  file_id: nullable(string),
  title: nullable(string),
  quote: nullable(string),
  unit: nullable(DocumentCitationUnit),
  start: nullable(integer),
  end: nullable(integer),
});

export const Citation: Check = union("type", "open", {
  url: UrlCitation,
  document: DocumentCitation,
});

export const CacheHintTtl: Check = oneOf("1h", "5m");

export const CacheHint: Check = record({
  ttl: optional(CacheHintTtl),
});

export const Origin: Check = record({
  provider: string,
  endpoint: string,
  model: string,
});

export const Opaque: Check = record({
  data: string,
  origin: Origin,
});

export const Text: Check = record({
  text: string,
  citations: optional(list(Citation)),
  cache: nullable(CacheHint),
  opaque: nullable(Opaque),
});

export const Base64Source: Check = record({
  data: string,
});

export const UrlSource: Check = record({
  url: string,
});

export const PathSource: Check = record({
  path: string,
});

export const FileSource: Check = union("type", "closed", {
  base64: Base64Source,
  url: UrlSource,
  path: PathSource,
});

export const FileDetail: Check = oneOf("auto", "high", "low");

export const File: Check = record({
  media_type: string,
  source: FileSource,
  filename: nullable(string),
  detail: nullable(FileDetail),
  cache: nullable(CacheHint),
  opaque: nullable(Opaque),
});

export const ReasoningForm: Check = oneOf("full", "redacted", "summary");

export const Reasoning: Check = record({
  text: optional(string),
  form: optional(ReasoningForm),
  opaque: nullable(Opaque),
});

export const ToolCall: Check = record({
  id: string,
  name: string,
  arguments: string,
  opaque: nullable(Opaque),
});

export const ToolResultPart: Check = union("type", "closed", {
  text: Text,
  file: File,
});

export const ToolResultContent: Check = either(string, list(ToolResultPart));

export const ToolResult: Check = record({
  tool_call_id: string,
  content: ToolResultContent,
  is_error: optional(boolean),
  cache: nullable(CacheHint),
});

export const Refusal: Check = record({
  text: string,
  opaque: nullable(Opaque),
});

export const Custom: Check = record({
  opaque: Opaque,
});

export const Part: Check = union("type", "open", {
  text: Text,
  file: File,
  reasoning: Reasoning,
  tool_call: ToolCall,
  tool_result: ToolResult,
  refusal: Refusal,
  custom: Custom,
});

export const MessageContent: Check = either(string, list(Part));

export const Message: Check = record({
  role: Role,
  content: MessageContent,
  origin: nullable(Origin),
});

export const Reason: Check = string;

export const FinishReason: Check = record({
  reason: Reason,
  raw: nullable(string),
});

export const Usage: Check = record({
  input_tokens: nullable(integer),
  output_tokens: nullable(integer),
  reasoning_tokens: nullable(integer),
  cache_read_tokens: nullable(integer),
  cache_write_tokens: nullable(integer),
  cache_write_1h_tokens: nullable(integer),
  source: optional(UsageSource),
});

export const Timing: Check = record({
  total_ms: integer,
  first_token_ms: nullable(integer),
  load_ms: optional(integer),
  prompt_ms: optional(integer),
  generation_ms: optional(integer),
});

export const Outcome: Check = string;

export const ErrorType: Check = string;

export const Attempt: Check = record({
  provider: string,
  model: string,
  outcome: Outcome,
  duration_ms: integer,
  error_type: nullable(ErrorType),
  usage: nullable(Usage),
  cost: nullable(Cost),
  cached: optional(boolean),
});

export const StructuredOutput: Check = string;

export const ChatResult: Check = record({
  message: nullable(Message),
  finish_reason: FinishReason,
  usage: Usage,
  cost: Cost,
  timing: Timing,
  attempts: list(Attempt),
  warnings: list(Warning),
  provider: string,
  model: string,
  stream_id: optional(string),
  chunks: optional(integer),
  structured_output: optional(StructuredOutput),
  cached: optional(boolean),
});

export const CredentialInfo: Check = record({
  provider: string,
  has_api_key: boolean,
  origins: list(string),
});

export const KeychainStatus: Check = string;

export const KeychainState: Check = record({
  state: KeychainStatus,
  backend: nullable(string),
  hint: nullable(string),
});

export const CredentialList: Check = record({
  credentials: list(CredentialInfo),
  keychain: KeychainState,
});

export const CredentialState: Check = record({
  exists: boolean,
  masked: nullable(string),
  origins: optional(list(string)),
});

export const Deleted: Check = record({
  deleted: boolean,
});

export const DeletedModel: Check = record({
  deleted: boolean,
  freed_bytes: integer,
});

export const TextDelta: Check = record({
  index: integer,
  text: string,
});

export const ReasoningDelta: Check = record({
  index: integer,
  text: string,
});

export const RefusalDelta: Check = record({
  index: integer,
  text: string,
});

export const ToolCallDelta: Check = record({
  index: integer,
  id: nullable(string),
  name: nullable(string),
  arguments: optional(string),
});

export const PartDelta: Check = record({
  index: integer,
  part: Part,
});

export const UsageDelta: Check = record({
  input_tokens: nullable(integer),
  output_tokens: nullable(integer),
  reasoning_tokens: nullable(integer),
  cache_read_tokens: nullable(integer),
  cache_write_tokens: nullable(integer),
  cache_write_1h_tokens: nullable(integer),
  source: optional(UsageSource),
});

export const Delta: Check = union("type", "open", {
  text: TextDelta,
  reasoning: ReasoningDelta,
  refusal: RefusalDelta,
  tool_call: ToolCallDelta,
  part: PartDelta,
  usage: UsageDelta,
});

export const DownloadedModel: Check = record({
  model: string,
  path: string,
  size_bytes: integer,
  sha256: nullable(string),
});

export const EmbeddingResult: Check = record({
  vectors: list(list(number)),
  usage: Usage,
  cost: Cost,
  warnings: list(Warning),
  provider: string,
  model: string,
});

export const Empty: Check = record({});

export const Category: Check = string;

export const Stage: Check = string;

export const ErrorData: Check = record({
  type: ErrorType,
  category: Category,
  retryable: boolean,
  retry_after_ms: nullable(integer),
  provider: nullable(string),
  model: nullable(string),
  http_status: nullable(integer),
  provider_code: nullable(string),
  provider_request_id: nullable(string),
  hint: nullable(string),
  stage: nullable(Stage),
  param: nullable(string),
  attempts: nullable(list(Attempt)),
  partial: nullable(Message),
  usage: nullable(Usage),
  chunks: nullable(integer),
  stream_id: nullable(string),
});

export const ErrorObject: Check = record({
  code: integer,
  message: string,
  data: ErrorData,
});

export const ServerInfo: Check = record({
  name: string,
  version: string,
  pid: integer,
});

export const Limits: Check = record({
  max_message_bytes: optional(integer),
  max_admitted_bytes: optional(integer),
  max_requests: optional(integer),
  max_streams: optional(integer),
  max_batch: optional(integer),
  stdin_ahead_bytes: optional(integer),
  soft_output_bytes: optional(integer),
  hard_output_bytes: optional(integer),
  max_output_bytes: optional(integer),
  max_chunk_bytes: optional(integer),
  stalled_exit_ms: optional(integer),
  stalled_stream_ms: optional(integer),
  exit_grace_ms: optional(integer),
  keychain_ms: optional(integer),
  load_ms: optional(integer),
  local_memory_bytes: optional(integer),
  max_queued: optional(integer),
  max_wait_ms: optional(integer),
  cooldown_ms: optional(integer),
  cache_bytes: optional(integer),
  cache_answer_bytes: optional(integer),
  cache_ttl_s: optional(integer),
  ledger_days: optional(integer),
  storage_ms: optional(integer),
});

export const InitializeResult: Check = record({
  protocol_version: integer,
  server_info: ServerInfo,
  capabilities: object,
  limits: Limits,
});

export const LoadedModel: Check = record({
  provider: string,
  model: string,
  runtime: string,
  context_size: integer,
  parallel: integer,
  memory_bytes: integer,
  load_ms: integer,
});

export const Capability: Check = string;

export const Effort: Check = oneOf("high", "low", "max", "medium", "minimal", "none", "xhigh");

export const LifecycleStatus: Check = string;

export const PriceSource: Check = string;

export const LongContextRates: Check = record({
  input: nullable(string),
  output: nullable(string),
  cache_read: nullable(string),
  cache_write: nullable(string),
  cache_write_1h: nullable(string),
  reasoning: nullable(string),
  input_audio: nullable(string),
  output_audio: nullable(string),
  above: integer,
});

export const ModelPrice: Check = record({
  input: nullable(string),
  output: nullable(string),
  cache_read: nullable(string),
  cache_write: nullable(string),
  cache_write_1h: nullable(string),
  reasoning: nullable(string),
  input_audio: nullable(string),
  output_audio: nullable(string),
  source: PriceSource,
  request: nullable(string),
  long_context: optional(list(LongContextRates)),
});

export const ModelInfo: Check = record({
  id: string,
  provider: string,
  name: nullable(string),
  owned_by: nullable(string),
  created: nullable(integer),
  context_length: nullable(integer),
  max_output_tokens: nullable(integer),
  input_modalities: nullable(list(string)),
  output_modalities: nullable(list(string)),
  capabilities: nullable(list(Capability)),
  reasoning_efforts: nullable(list(Effort)),
  supported_parameters: nullable(list(string)),
  lifecycle: nullable(LifecycleStatus),
  shut_down: nullable(string),
  successor: nullable(string),
  price: nullable(ModelPrice),
  size_bytes: nullable(integer),
  loaded: nullable(boolean),
  memory_bytes: nullable(integer),
  source: nullable(string),
  architecture: nullable(string),
  parameters: nullable(integer),
  quantization: nullable(string),
  chat_template: nullable(boolean),
  problem: nullable(string),
});

export const ModelList: Check = record({
  provider: string,
  models: list(ModelInfo),
});

export const OpenRpc: Check = record({
  openrpc: string,
  info: object,
  methods: list(object),
  "x-notifications": optional(list(object)),
  components: optional(object),
});

export const Pong: Check = record({
  uptime_ms: integer,
});

export const ProviderInfo: Check = record({
  id: string,
  kind: string,
  name: string,
  configured: boolean,
  active: boolean,
  local: boolean,
  needs_key: boolean,
  key: KeyInfo,
  model: nullable(string),
  base_url: nullable(string),
  capabilities: optional(object),
});

export const ProviderList: Check = record({
  providers: list(ProviderInfo),
  keychain: KeychainState,
});

export const Recommendation: Check = record({
  id: string,
  provider: string,
  name: nullable(string),
  owned_by: nullable(string),
  created: nullable(integer),
  context_length: nullable(integer),
  max_output_tokens: nullable(integer),
  input_modalities: nullable(list(string)),
  output_modalities: nullable(list(string)),
  capabilities: nullable(list(Capability)),
  reasoning_efforts: nullable(list(Effort)),
  supported_parameters: nullable(list(string)),
  lifecycle: nullable(LifecycleStatus),
  shut_down: nullable(string),
  successor: nullable(string),
  price: nullable(ModelPrice),
  size_bytes: nullable(integer),
  loaded: nullable(boolean),
  memory_bytes: nullable(integer),
  source: nullable(string),
  architecture: nullable(string),
  parameters: nullable(integer),
  quantization: nullable(string),
  chat_template: nullable(boolean),
  problem: nullable(string),
  key: boolean,
  local: boolean,
  score: number,
  reasons: list(string),
  fits: nullable(boolean),
  first_token_ms: nullable(integer),
  output_tokens_per_second: nullable(number),
});

export const Unavailable: Check = record({
  provider: string,
  error_type: ErrorType,
});

export const Recommendations: Check = record({
  models: list(Recommendation),
  unavailable: list(Unavailable),
});

export const Removed: Check = record({
  removed: boolean,
});

export const SavedCredential: Check = record({
  provider: string,
  masked: string,
  origins: list(string),
});

export const State: Check = string;

export const ModelName: Check = record({
  provider: string,
  model: string,
});

export const StreamStatus: Check = record({
  state: State,
  progress: nullable(number),
  ms: nullable(integer),
  attempt: nullable(integer),
  wait_ms: nullable(integer),
  from: nullable(ModelName),
  to: nullable(ModelName),
  stream_id: string,
});

export const StageName: Check = string;

export const TestStage: Check = record({
  stage: StageName,
  ok: boolean,
  ms: integer,
  error: nullable(ErrorObject),
  hint: nullable(string),
});

export const TestResult: Check = record({
  ok: boolean,
  provider: string,
  stages: list(TestStage),
  url: nullable(string),
  model: nullable(string),
  usage: nullable(Usage),
  cost: nullable(Cost),
});

export const UnloadedModel: Check = record({
  unloaded: integer,
  freed_bytes: nullable(integer),
});

export const Savings: Check = record({
  prompt_cache: string,
  response_cache: string,
  currency: optional(string),
});

export const UsageGroup: Check = record({
  provider: nullable(string),
  model: nullable(string),
  tag: nullable(string),
  day: nullable(string),
  month: nullable(string),
  attempts: integer,
  failed: integer,
  cancelled: integer,
  cached: integer,
  estimated: integer,
  unpriced: integer,
  input_tokens: integer,
  output_tokens: integer,
  reasoning_tokens: integer,
  cache_read_tokens: integer,
  cache_write_tokens: integer,
  cost: Cost,
  savings: Savings,
});

export const UsageSummary: Check = record({
  groups: list(UsageGroup),
  total: UsageGroup,
  truncated: boolean,
  storage: StorageState,
});

/** What each method answers with. */
export const RESULTS: Readonly<Record<keyof Methods, Check>> = {
  initialize: InitializeResult,
  shutdown: Empty,
  "server.ping": Pong,
  "rpc.discover": OpenRpc,
  "providers.list": ProviderList,
  "providers.configure": ConfiguredProvider,
  "providers.remove": Removed,
  "providers.set_active": ConfiguredProvider,
  "providers.get_active": ActiveProvider,
  "providers.test": TestResult,
  "models.list": ModelList,
  "models.load": LoadedModel,
  "models.unload": UnloadedModel,
  "models.download": DownloadedModel,
  "models.delete": DeletedModel,
  "models.recommend": Recommendations,
  "chat.complete": ChatResult,
  "chat.stream": ChatResult,
  "chat.cancel": CancelResult,
  "chat.estimate": ChatEstimate,
  "embeddings.create": EmbeddingResult,
  "usage.summary": UsageSummary,
  "budgets.set": BudgetList,
  "budgets.list": BudgetList,
  "cache.stats": CacheStats,
  "cache.clear": CacheCleared,
  "credentials.save": SavedCredential,
  "credentials.get": CredentialState,
  "credentials.delete": Deleted,
  "credentials.list": CredentialList,
};
