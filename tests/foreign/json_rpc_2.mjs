// The sidecar driven by json-rpc-2.0, which makes messages and matches replies, and leaves the pipes to its user.
import { JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient } from "json-rpc-2.0";
import { Chunks, ENDLESS, HELLO, OVERLOADED, STORY, failure, script, silentProvider, start, tell } from "./sidecar.mjs";

const { lines, write, exited } = start();
const peer = new JSONRPCServerAndClient(new JSONRPCServer(), new JSONRPCClient(async (message) => write(message)));
const chunks = new Chunks();
peer.addMethod("stream.chunk", (params) => chunks.take(params));
peer.addMethod("stream.status", () => {});
lines.on("line", (line) => peer.receiveAndSend(JSON.parse(line)));

const resultOf = ({ result }) => result;
const request = (id, method, params) => peer.requestAdvanced({ jsonrpc: "2.0", id, method, params });

const { protocol_version, server_info } = await peer.request("initialize", HELLO);
tell("handshake", { protocol_version, server: server_info.name });

const { provider } = await peer.request("providers.set_active", { config: { provider: "scripted" } });
tell("call", { provider });

const { active } = await peer.request("providers.get_active");
tell("call without params", { provider: active.provider });

tell("unknown method", await failure(peer.request("chat.sing", {})));
tell("error", await failure(peer.request("chat.complete", script(undefined, ...OVERLOADED))));
tell("params by position", await failure(peer.request("server.ping", [1, 2])));

const batch = ["providers.get_active", "chat.sing"].map((method) => ({ jsonrpc: "2.0", id: method, method }));
const [first, second] = await peer.requestAdvanced(batch);
tell("batch", { provider: first.result.active.provider, type: second.error.data.type });

tell("stream", chunks.seen(await peer.request("chat.stream", script("s1", ...STORY))));

const story = request("story", "chat.stream", script("s2", ...ENDLESS));
await chunks.first("s2");
peer.notify("$/cancelRequest", { id: "story" });
tell("cancelled stream", chunks.seen(resultOf(await story)));

const silent = await silentProvider();
await peer.request("providers.configure", { config: silent.config });
const listing = request("listing", "models.list", { provider: "silent" });
await silent.asked;
peer.notify("$/cancelRequest", { id: "listing" });
const { error } = await listing;
tell("cancelled call", { code: error.code, type: error.data.type });
await silent.close();

tell("shutdown", { result: await peer.request("shutdown") });
tell("exit", { code: await exited });
