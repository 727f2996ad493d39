// The raw pipe in Node.js: readline and JSON.parse.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const [streams, command, ...args] = process.argv.slice(2);
const sidecar = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
const now = () => performance.timeOrigin + performance.now();

const send = (id, method, params) =>
  sidecar.stdin.write(JSON.stringify({ jsonrpc: "2.0", id, method, params }) + "\n");
const ask = (id) => {
  latencies = [];
  before = process.cpuUsage();
  send(id, "chat.stream", { stream_id: `s${id}`, messages: [{ role: "user", content: "Go." }] });
};

let latencies = [];
let before = process.cpuUsage();
send(0, "initialize", { protocol_version: 1, client_info: { name: "raw" } });
for await (const line of createInterface({ input: sidecar.stdout })) {
  const message = JSON.parse(line);
  if (message.method === "stream.chunk") {
    const sent = Number.parseInt(message.params.delta.text, 10) / 1e6;
    latencies.push((now() - sent) * 1e3);
  } else if (message.id === 0) {
    ask(1);
  } else {
    const { user, system } = process.cpuUsage(before);
    console.log(JSON.stringify({ cpu_us: user + system, latencies_us: latencies }));
    if (message.id < Number(streams)) ask(message.id + 1);
    else sidecar.stdin.end();
  }
}
