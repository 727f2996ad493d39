"""The raw pipe in Python: asyncio's own lines, and json."""

import asyncio
import json
import sys
import time

STREAMS = int(sys.argv[1])
COMMAND = sys.argv[2:]


async def main():
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*COMMAND, stdin=pipe, stdout=pipe, limit=1 << 24)
    opening = {"protocol_version": 1, "client_info": {"name": "raw"}}
    await call(process, 0, "initialize", opening, [])
    params = {"messages": [{"role": "user", "content": "Go."}]}
    for number in range(1, STREAMS + 1):
        latencies = []
        before = time.process_time()
        await call(process, number, "chat.stream", {**params, "stream_id": f"s{number}"}, latencies)
        print(json.dumps({"cpu_us": (time.process_time() - before) * 1e6, "latencies_us": latencies}), flush=True)
    process.stdin.close()
    await process.wait()


async def call(process, id_, method, params, latencies):
    request = {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}
    process.stdin.write(json.dumps(request).encode() + b"\n")
    while True:
        message = json.loads(await process.stdout.readline())
        if message.get("method") == "stream.chunk":
            sent = int(message["params"]["delta"]["text"].split(" ")[0])
            latencies.append((time.time_ns() - sent) / 1e3)
        elif message.get("id") == id_:
            return


asyncio.run(main())
