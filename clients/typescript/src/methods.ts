// Generated from protocol/ by `make protocol`; changes made here are lost.

import type {
  ActiveProvider,
  BudgetList,
  BudgetParams,
  CacheClearParams,
  CacheCleared,
  CacheStats,
  CancelParams,
  CancelResult,
  Category,
  ChatEstimate,
  ChatRequest,
  ChatResult,
  ConfigParams,
  ConfiguredProvider,
  CredentialChoice,
  CredentialList,
  CredentialState,
  DeleteModelParams,
  Deleted,
  DeletedModel,
  DownloadParams,
  DownloadedModel,
  EmbeddingRequest,
  EmbeddingResult,
  Empty,
  InitializeParams,
  InitializeResult,
  LoadParams,
  LoadedModel,
  ModelList,
  OpenRpc,
  OptionalProvider,
  Pong,
  ProviderChoice,
  ProviderList,
  RecommendParams,
  Recommendations,
  Removed,
  SaveCredential,
  SavedCredential,
  SetActiveParams,
  StreamRequest,
  TestParams,
  TestResult,
  UnloadParams,
  UnloadedModel,
  UsageQuery,
  UsageSummary,
} from "./protocol.js";

/** What every call takes besides its params. */
export interface CallOptions {
  /** Cancels the call. */
  signal?: AbortSignal | undefined;
}

/** Calls a method; the namespaces are made of it. */
export type Call = <Name extends keyof Methods>(
  method: Name,
  params: Methods[Name]["params"],
  options: CallOptions | undefined,
) => Promise<Methods[Name]["result"]>;

/** The methods of the protocol. */
export interface Methods {
  /** Opens the session; must be the first request but for `server.ping` and `rpc.discover`. */
  initialize: { params: InitializeParams; result: InitializeResult };
  /** Ends streams, lets other requests finish within `limits.exit_grace_ms`, replies last, and exits 0. */
  shutdown: { params: Empty; result: Empty };
  /** Answers at once, however busy the sidecar is. */
  "server.ping": { params: Empty; result: Pong };
  /** Answers with the OpenRPC document of this server. */
  "rpc.discover": { params: Empty; result: OpenRpc };
  /** Lists every provider and every further configuration, without waiting for the keychain. */
  "providers.list": { params: Empty; result: ProviderList };
  /** Takes a configuration in place of any other with its id; it is kept in memory. */
  "providers.configure": { params: ConfigParams; result: ConfiguredProvider };
  /** Forgets a configuration; saved keys stay. */
  "providers.remove": { params: ProviderChoice; result: Removed };
  /** Makes a provider the one that is meant when a request names none. */
  "providers.set_active": { params: SetActiveParams; result: ConfiguredProvider };
  /** Tells which provider is active. */
  "providers.get_active": { params: Empty; result: ActiveProvider };
  /**
   * Diagnoses a provider stage by stage, free of charge but for `probe`. A failing provider is a result, not an error.
   */
  "providers.test": { params: TestParams; result: TestResult };
  /** Lists the models that a provider, or the active one, tells of, with what else is known of them. */
  "models.list": { params: OptionalProvider; result: ModelList };
  /** Loads a local model ahead of the first question, telling how far it is in `task.progress`. */
  "models.load": { params: LoadParams; result: LoadedModel };
  /** Ends the processes that hold a local model; the reply follows when their memory is free. */
  "models.unload": { params: UnloadParams; result: UnloadedModel };
  /** Fetches a model file, telling how far it is in `task.progress`. What broke off is resumed. */
  "models.download": { params: DownloadParams; result: DownloadedModel };
  /** Deletes a model from the sidecar's own folder, all its files, and what is left of its download. */
  "models.delete": { params: DeleteModelParams; result: DeletedModel };
  /** Ranks the models of all providers that can be used. A provider that fails is a result, not an error. */
  "models.recommend": { params: RecommendParams; result: Recommendations };
  /** Answers one question with the whole completion. */
  "chat.complete": { params: ChatRequest; result: ChatResult };
  /** Answers one question with `stream.chunk` notifications, then the reply, which is the stream's end. */
  "chat.stream": { params: StreamRequest; result: ChatResult };
  /** Ends a stream; answers after the stream's own reply. Never an error. */
  "chat.cancel": { params: CancelParams; result: CancelResult };
  /** Tells how many tokens a question has, whether they fit, and what it would cost; it is not asked. */
  "chat.estimate": { params: ChatRequest; result: ChatEstimate };
  /** Turns texts into vectors. */
  "embeddings.create": { params: EmbeddingRequest; result: EmbeddingResult };
  /** Tells what was used and what it cost, by provider, model, tag, day or month. */
  "usage.summary": { params: UsageQuery; result: UsageSummary };
  /** Sets a budget, changes it, or without an amount removes it; answers with all budgets. */
  "budgets.set": { params: BudgetParams; result: BudgetList };
  /** Tells how much of each budget is spent, and when its period ends. */
  "budgets.list": { params: Empty; result: BudgetList };
  /** Tells how many answers are kept, and how often one was of use. */
  "cache.stats": { params: Empty; result: CacheStats };
  /** Drops all kept answers, or those that were asked for with a tag. */
  "cache.clear": { params: CacheClearParams; result: CacheCleared };
  /** Keeps a key in the system's keychain, for the origin of `base_url` or else for the provider's own. */
  "credentials.save": { params: SaveCredential; result: SavedCredential };
  /** Tells whether there is a key, and shows as much of it as may be shown. */
  "credentials.get": { params: CredentialChoice; result: CredentialState };
  /** Deletes a provider's keys, or the one for `base_url`. */
  "credentials.delete": { params: CredentialChoice; result: Deleted };
  /** Lists the providers with keys, and tells the state of the keychain. */
  "credentials.list": { params: Empty; result: CredentialList };
}

/** The methods `server.*`. */
export class ServerMethods {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /** Answers at once, however busy the sidecar is. */
  ping(params: Empty = {}, options?: CallOptions): Promise<Pong> {
    return this.#call("server.ping", params, options);
  }
}

/** The methods `rpc.*`. */
export class RpcMethods {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /** Answers with the OpenRPC document of this server. */
  discover(params: Empty = {}, options?: CallOptions): Promise<OpenRpc> {
    return this.#call("rpc.discover", params, options);
  }
}

/** The methods `providers.*`. */
export class ProvidersMethods {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /** Lists every provider and every further configuration, without waiting for the keychain. */
  list(params: Empty = {}, options?: CallOptions): Promise<ProviderList> {
    return this.#call("providers.list", params, options);
  }

  /**
   * Takes a configuration in place of any other with its id; it is kept in memory.
   *
   * @throws {SidecarError} Among others: `provider_not_found`, `provider_not_configured`.
   */
  configure(params: ConfigParams, options?: CallOptions): Promise<ConfiguredProvider> {
    return this.#call("providers.configure", params, options);
  }

  /** Forgets a configuration; saved keys stay. */
  remove(params: ProviderChoice, options?: CallOptions): Promise<Removed> {
    return this.#call("providers.remove", params, options);
  }

  /**
   * Makes a provider the one that is meant when a request names none.
   *
   * @throws {SidecarError} Among others: `provider_not_found`, `provider_not_configured`.
   */
  setActive(params: SetActiveParams = {}, options?: CallOptions): Promise<ConfiguredProvider> {
    return this.#call("providers.set_active", params, options);
  }

  /** Tells which provider is active. */
  getActive(params: Empty = {}, options?: CallOptions): Promise<ActiveProvider> {
    return this.#call("providers.get_active", params, options);
  }

  /**
   * Diagnoses a provider stage by stage, free of charge but for `probe`. A failing provider is a result, not an error.
   *
   * @throws {SidecarError} Among others: `provider_not_found`.
   */
  test(params: TestParams = {}, options?: CallOptions): Promise<TestResult> {
    return this.#call("providers.test", params, options);
  }
}

/** The methods `models.*`. */
export class ModelsMethods {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * Lists the models that a provider, or the active one, tells of, with what else is known of them.
   *
   * @throws {SidecarError} Among others: `provider_not_found`, `model_not_found`, `provider_not_configured`,
   * `unsupported_feature`, `origin_not_allowed`, `credential_not_found`, `keyring_unavailable`, `keyring_locked`,
   * `keyring_denied`, `authentication`, `permission_denied`, `insufficient_quota`, `rate_limited`, `request_rejected`,
   * `provider_overloaded`, `server_error`, `malformed_response`, `dns`, `connect`, `tls`, `proxy`, `timeout`,
   * `model_file_invalid`, `engine_unavailable`, `privacy_blocked`.
   */
  list(params: OptionalProvider = {}, options?: CallOptions): Promise<ModelList> {
    return this.#call("models.list", params, options);
  }

  /**
   * Loads a local model ahead of the first question, telling how far it is in `task.progress`.
   *
   * @throws {SidecarError} Among others: `provider_not_found`, `model_not_found`, `provider_not_configured`,
   * `unsupported_feature`, `origin_not_allowed`, `credential_not_found`, `keyring_unavailable`, `keyring_locked`,
   * `keyring_denied`, `timeout`, `model_file_invalid`, `out_of_memory`, `engine_crashed`, `engine_unavailable`.
   */
  load(params: LoadParams = {}, options?: CallOptions): Promise<LoadedModel> {
    return this.#call("models.load", params, options);
  }

  /**
   * Ends the processes that hold a local model; the reply follows when their memory is free.
   *
   * @throws {SidecarError} Among others: `provider_not_found`, `model_not_found`, `provider_not_configured`,
   * `unsupported_feature`, `origin_not_allowed`, `credential_not_found`, `keyring_unavailable`, `keyring_locked`,
   * `keyring_denied`, `engine_unavailable`.
   */
  unload(params: UnloadParams = {}, options?: CallOptions): Promise<UnloadedModel> {
    return this.#call("models.unload", params, options);
  }

  /**
   * Fetches a model file, telling how far it is in `task.progress`. What broke off is resumed.
   *
   * @throws {SidecarError} Among others: `model_not_found`, `origin_not_allowed`, `path_not_allowed`,
   * `keyring_unavailable`, `keyring_locked`, `keyring_denied`, `authentication`, `permission_denied`, `rate_limited`,
   * `provider_overloaded`, `server_error`, `malformed_response`, `stream_interrupted`, `dns`, `connect`, `tls`,
   * `proxy`, `timeout`, `model_file_invalid`, `download_failed`, `checksum_mismatch`, `disk_full`, `model_in_use`.
   */
  download(params: DownloadParams = {}, options?: CallOptions): Promise<DownloadedModel> {
    return this.#call("models.download", params, options);
  }

  /**
   * Deletes a model from the sidecar's own folder, all its files, and what is left of its download.
   *
   * @throws {SidecarError} Among others: `path_not_allowed`, `engine_unavailable`, `model_in_use`.
   */
  delete(params: DeleteModelParams, options?: CallOptions): Promise<DeletedModel> {
    return this.#call("models.delete", params, options);
  }

  /** Ranks the models of all providers that can be used. A provider that fails is a result, not an error. */
  recommend(params: RecommendParams = {}, options?: CallOptions): Promise<Recommendations> {
    return this.#call("models.recommend", params, options);
  }
}

/** The methods `chat.*`. */
export class ChatMethods {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * Answers one question with the whole completion.
   *
   * @throws {SidecarError} Among others: `provider_not_found`, `model_not_found`, `provider_not_configured`,
   * `unsupported_feature`, `origin_not_allowed`, `path_not_allowed`, `credential_not_found`, `keyring_unavailable`,
   * `keyring_locked`, `keyring_denied`, `authentication`, `permission_denied`, `insufficient_quota`, `rate_limited`,
   * `context_length_exceeded`, `content_filtered`, `request_rejected`, `unsupported_parameter`, `payload_too_large`,
   * `provider_overloaded`, `server_error`, `malformed_response`, `output_invalid`, `stream_interrupted`, `dns`,
   * `connect`, `tls`, `proxy`, `timeout`, `model_file_invalid`, `out_of_memory`, `engine_crashed`,
   * `engine_unavailable`, `budget_exceeded`, `privacy_blocked`.
   */
  complete(params: ChatRequest, options?: CallOptions): Promise<ChatResult> {
    return this.#call("chat.complete", params, options);
  }

  /** Ends a stream; answers after the stream's own reply. Never an error. */
  cancel(params: CancelParams, options?: CallOptions): Promise<CancelResult> {
    return this.#call("chat.cancel", params, options);
  }

  /**
   * Tells how many tokens a question has, whether they fit, and what it would cost; it is not asked.
   *
   * @throws {SidecarError} Among others: `provider_not_found`, `model_not_found`, `provider_not_configured`,
   * `origin_not_allowed`, `path_not_allowed`, `credential_not_found`, `keyring_unavailable`, `keyring_locked`,
   * `keyring_denied`, `authentication`, `permission_denied`, `payload_too_large`, `engine_unavailable`,
   * `privacy_blocked`.
   */
  estimate(params: ChatRequest, options?: CallOptions): Promise<ChatEstimate> {
    return this.#call("chat.estimate", params, options);
  }
}

/** The methods `embeddings.*`. */
export class EmbeddingsMethods {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * Turns texts into vectors.
   *
   * @throws {SidecarError} Among others: `provider_not_found`, `model_not_found`, `provider_not_configured`,
   * `unsupported_feature`, `origin_not_allowed`, `credential_not_found`, `keyring_unavailable`, `keyring_locked`,
   * `keyring_denied`, `authentication`, `permission_denied`, `insufficient_quota`, `rate_limited`,
   * `context_length_exceeded`, `content_filtered`, `request_rejected`, `unsupported_parameter`, `payload_too_large`,
   * `provider_overloaded`, `server_error`, `malformed_response`, `dns`, `connect`, `tls`, `proxy`, `timeout`,
   * `model_file_invalid`, `out_of_memory`, `engine_crashed`, `engine_unavailable`, `budget_exceeded`,
   * `privacy_blocked`.
   */
  create(params: EmbeddingRequest, options?: CallOptions): Promise<EmbeddingResult> {
    return this.#call("embeddings.create", params, options);
  }
}

/** The methods `usage.*`. */
export class UsageMethods {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /** Tells what was used and what it cost, by provider, model, tag, day or month. */
  summary(params: UsageQuery = {}, options?: CallOptions): Promise<UsageSummary> {
    return this.#call("usage.summary", params, options);
  }
}

/** The methods `budgets.*`. */
export class BudgetsMethods {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /** Sets a budget, changes it, or without an amount removes it; answers with all budgets. */
  set(params: BudgetParams, options?: CallOptions): Promise<BudgetList> {
    return this.#call("budgets.set", params, options);
  }

  /** Tells how much of each budget is spent, and when its period ends. */
  list(params: Empty = {}, options?: CallOptions): Promise<BudgetList> {
    return this.#call("budgets.list", params, options);
  }
}

/** The methods `cache.*`. */
export class CacheMethods {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /** Tells how many answers are kept, and how often one was of use. */
  stats(params: Empty = {}, options?: CallOptions): Promise<CacheStats> {
    return this.#call("cache.stats", params, options);
  }

  /** Drops all kept answers, or those that were asked for with a tag. */
  clear(params: CacheClearParams = {}, options?: CallOptions): Promise<CacheCleared> {
    return this.#call("cache.clear", params, options);
  }
}

/** The methods `credentials.*`. */
export class CredentialsMethods {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * Keeps a key in the system's keychain, for the origin of `base_url` or else for the provider's own.
   *
   * @throws {SidecarError} Among others: `provider_not_found`, `keyring_unavailable`, `keyring_locked`,
   * `keyring_denied`, `disk_full`.
   */
  save(params: SaveCredential, options?: CallOptions): Promise<SavedCredential> {
    return this.#call("credentials.save", params, options);
  }

  /**
   * Tells whether there is a key, and shows as much of it as may be shown.
   *
   * @throws {SidecarError} Among others: `keyring_unavailable`, `keyring_locked`, `keyring_denied`.
   */
  get(params: CredentialChoice, options?: CallOptions): Promise<CredentialState> {
    return this.#call("credentials.get", params, options);
  }

  /**
   * Deletes a provider's keys, or the one for `base_url`.
   *
   * @throws {SidecarError} Among others: `keyring_unavailable`, `keyring_locked`, `keyring_denied`, `disk_full`.
   */
  delete(params: CredentialChoice, options?: CallOptions): Promise<Deleted> {
    return this.#call("credentials.delete", params, options);
  }

  /** Lists the providers with keys, and tells the state of the keychain. */
  list(params: Empty = {}, options?: CallOptions): Promise<CredentialList> {
    return this.#call("credentials.list", params, options);
  }
}

/** The error types of the protocol. */
export const ERRORS = {
  /** The line is not JSON. */
  parse_error: { code: -32700, category: "protocol", retryable: false },
  /** The line is JSON but not a JSON-RPC 2.0 request. */
  invalid_message: { code: -32600, category: "protocol", retryable: false },
  /** A request with this id is still in flight. */
  duplicate_id: { code: -32600, category: "protocol", retryable: false },
  /** The method may not be part of a batch. */
  not_batchable: { code: -32600, category: "protocol", retryable: false },
  /** The line is longer than `limits.max_message_bytes`. */
  message_too_large: { code: -32600, category: "protocol", retryable: false },
  /** There is no such method. */
  method_not_found: { code: -32601, category: "protocol", retryable: false },
  /** `params` do not match the method's schema. */
  invalid_params: { code: -32602, category: "protocol", retryable: false },
  /** A defect of the sidecar; its log says more. */
  internal_error: { code: -32603, category: "internal", retryable: false },
  /** A limit on requests, streams or memory is reached. */
  server_busy: { code: -32000, category: "protocol", retryable: true },
  /** The sidecar is about to exit. */
  shutting_down: { code: -32001, category: "protocol", retryable: false },
  /** `initialize` must come first. */
  not_initialized: { code: -32002, category: "protocol", retryable: false },
  /** `initialize` was called before. */
  already_initialized: { code: -32003, category: "protocol", retryable: false },
  /** No common protocol version. */
  unsupported_protocol_version: { code: -32004, category: "protocol", retryable: false },
  /** An open stream has this `stream_id`. */
  stream_id_in_use: { code: -32005, category: "protocol", retryable: false },
  /** The host did not read for too long, so the stream was ended. */
  client_stalled: { code: -32006, category: "protocol", retryable: true },
  /** Reserved for clients: the sidecar has gone. */
  connection_closed: { code: -32099, category: "protocol", retryable: true },
  /** Reserved for clients: there is no executable of the sidecar. */
  sidecar_not_found: { code: -32098, category: "config", retryable: false },
  /** The host cancelled the request. */
  request_cancelled: { code: -32800, category: "protocol", retryable: false },
  /** No provider has this name. */
  provider_not_found: { code: 1001, category: "not_found", retryable: false },
  /** The provider has no such model. */
  model_not_found: { code: 1002, category: "not_found", retryable: false },
  /** The provider lacks a setting it needs. */
  provider_not_configured: { code: 1003, category: "config", retryable: false },
  /** The provider or model cannot do what was asked. */
  unsupported_feature: { code: 1004, category: "config", retryable: false },
  /** The key is not meant for the server it would go to. */
  origin_not_allowed: { code: 1005, category: "config", retryable: false },
  /** The file lies outside the allowed folders. */
  path_not_allowed: { code: 1006, category: "config", retryable: false },
  /** No key is saved for this provider. */
  credential_not_found: { code: 1101, category: "not_found", retryable: false },
  /** The system has no working keychain. */
  keyring_unavailable: { code: 1102, category: "config", retryable: true },
  /** The keychain is locked. */
  keyring_locked: { code: 1103, category: "config", retryable: true },
  /** The keychain refused access. */
  keyring_denied: { code: 1104, category: "config", retryable: false },
  /** The provider refused the API key. */
  authentication: { code: 1201, category: "ai", retryable: false },
  /** The key may not do this. */
  permission_denied: { code: 1202, category: "ai", retryable: false },
  /** The account has no credit or quota left. */
  insufficient_quota: { code: 1203, category: "ai", retryable: false },
  /** Too many requests; `retry_after_ms` says when to come back, if known. */
  rate_limited: { code: 1204, category: "ai", retryable: true },
  /** The request does not fit the model's context. */
  context_length_exceeded: { code: 1205, category: "ai", retryable: false },
  /** The provider's content policy blocked the request or the answer. */
  content_filtered: { code: 1206, category: "ai", retryable: false },
  /** The provider refused the request as invalid. */
  request_rejected: { code: 1207, category: "ai", retryable: false },
  /** The provider does not take one of the parameters. */
  unsupported_parameter: { code: 1208, category: "ai", retryable: false },
  /** The request is larger than the provider accepts. */
  payload_too_large: { code: 1209, category: "ai", retryable: false },
  /** The provider is over capacity. */
  provider_overloaded: { code: 1210, category: "ai", retryable: true },
  /** The provider failed. */
  server_error: { code: 1211, category: "ai", retryable: true },
  /** The provider's answer could not be read. */
  malformed_response: { code: 1212, category: "ai", retryable: true },
  /** The answer does not match the schema that was asked for. */
  output_invalid: { code: 1213, category: "ai", retryable: true },
  /** The answer ended before it was complete; `partial` holds what came. */
  stream_interrupted: { code: 1214, category: "ai", retryable: true },
  /** The server's name could not be resolved. */
  dns: { code: 1251, category: "network", retryable: true },
  /** The server could not be reached. */
  connect: { code: 1252, category: "network", retryable: true },
  /** No trusted connection to the server could be made. */
  tls: { code: 1253, category: "network", retryable: false },
  /** The proxy refused or failed. */
  proxy: { code: 1254, category: "network", retryable: true },
  /** A deadline passed; `stage` says which. */
  timeout: { code: 1255, category: "network", retryable: true },
  /** The model file is missing, damaged or of an unknown kind. */
  model_file_invalid: { code: 1301, category: "config", retryable: false },
  /** The model or its context does not fit into memory. */
  out_of_memory: { code: 1302, category: "ai", retryable: false },
  /** The local engine died; the next request starts it anew. */
  engine_crashed: { code: 1303, category: "ai", retryable: true },
  /** No local engine can run here; the message says what to install. */
  engine_unavailable: { code: 1304, category: "config", retryable: false },
  /** A model could not be downloaded. */
  download_failed: { code: 1305, category: "ai", retryable: true },
  /** A downloaded model is not the one that was asked for. */
  checksum_mismatch: { code: 1306, category: "ai", retryable: false },
  /** There is not enough room on the disk. */
  disk_full: { code: 1307, category: "config", retryable: false },
  /** The model is in memory or being fetched, so it cannot be changed now. */
  model_in_use: { code: 1308, category: "config", retryable: true },
  /** A budget is used up. */
  budget_exceeded: { code: 1401, category: "config", retryable: false },
  /** The request may not leave this machine. */
  privacy_blocked: { code: 1402, category: "config", retryable: false },
} as const satisfies Record<string, { code: number; category: Category; retryable: boolean }>;
