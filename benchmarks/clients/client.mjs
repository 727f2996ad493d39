// The same through the client for Node.js.
import { Sidecar } from "../../clients/typescript/dist/index.js";

const [streams, command, ...args] = process.argv.slice(2);
const now = () => performance.timeOrigin + performance.now();
const sidecar = await Sidecar.start({ command, args });
for (let number = 0; number < Number(streams); number++) {
  const latencies = [];
  const before = process.cpuUsage();
  const stream = sidecar.chat.stream({ messages: [{ role: "user", content: "Go." }] });
  for await (const text of stream.texts()) latencies.push((now() - Number.parseInt(text, 10) / 1e6) * 1e3);
  await stream.result();
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ cpu_us: user + system, latencies_us: latencies }));
}
await sidecar.close();
