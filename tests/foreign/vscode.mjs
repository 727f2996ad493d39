// The sidecar driven by vscode-jsonrpc, whose framing of its own is HTTP-like headers: reader and writer are for lines.
import rpc from "vscode-jsonrpc/node";
import { Chunks, ENDLESS, HELLO, OVERLOADED, STORY, failure, script, silentProvider, start, tell } from "./sidecar.mjs";

class LineReader extends rpc.AbstractMessageReader {
  constructor(lines) {
    super();
    this.lines = lines;
  }

  listen(callback) {
    this.lines.on("line", (line) => callback(JSON.parse(line)));
    this.lines.on("close", () => this.fireClose());
    return rpc.Disposable.create(() => this.lines.removeAllListeners());
  }
}

class LineWriter extends rpc.AbstractMessageWriter {
  constructor(write) {
    super();
    this.send = write;
  }

  async write(message) {
    this.send(message);
  }

  end() {}
}

const { lines, write, exited } = start();
const connection = rpc.createMessageConnection(new LineReader(lines), new LineWriter(write));
const chunks = new Chunks();
connection.onNotification("stream.chunk", (params) => chunks.take(params));
connection.onNotification("stream.status", () => {});
connection.onError(([error]) => tell("broken", { message: error.message }));
connection.listen();

const { protocol_version, server_info } = await connection.sendRequest("initialize", HELLO);
tell("handshake", { protocol_version, server: server_info.name });

const { provider } = await connection.sendRequest("providers.set_active", { config: { provider: "scripted" } });
tell("call", { provider });

const { active } = await connection.sendRequest(new rpc.RequestType0("providers.get_active"));
tell("call without params", { provider: active.provider });

tell("unknown method", await failure(connection.sendRequest("chat.sing", {})));
tell("error", await failure(connection.sendRequest("chat.complete", script(undefined, ...OVERLOADED))));
tell("params by position", await failure(connection.sendRequest("server.ping", 1, 2)));

const told = await connection.sendRequest("chat.stream", script("s1", ...STORY));
tell("stream", chunks.seen(told));

const token = new rpc.CancellationTokenSource();
const story = connection.sendRequest("chat.stream", script("s2", ...ENDLESS), token.token);
await chunks.first("s2");
token.cancel();
tell("cancelled stream", chunks.seen(await story));

const silent = await silentProvider();
await connection.sendRequest("providers.configure", { config: silent.config });
const waiting = new rpc.CancellationTokenSource();
const listing = connection.sendRequest("models.list", { provider: "silent" }, waiting.token);
await silent.asked;
waiting.cancel();
tell("cancelled call", await failure(listing));
await silent.close();

tell("shutdown", { result: await connection.sendRequest("shutdown") });
tell("exit", { code: await exited });
