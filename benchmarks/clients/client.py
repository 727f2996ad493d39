"""The same through the Python client."""

import json
import sys
import time

import anyio
from llm_sidecar import Options, start_sidecar
from llm_sidecar.protocol import Message, StreamRequest

STREAMS = int(sys.argv[1])
COMMAND = sys.argv[2:]


async def main():
    async with start_sidecar(Options(command=COMMAND[0], args=COMMAND[1:])) as sidecar:
        for _ in range(STREAMS):
            latencies = []
            before = time.process_time()
            stream = sidecar.chat.stream(StreamRequest(messages=[Message(role="user", content="Go.")]))
            async with stream:
                async for text in stream.texts():
                    latencies.append((time.time_ns() - int(text.split(" ")[0])) / 1e3)
            await stream.result()
            print(json.dumps({"cpu_us": (time.process_time() - before) * 1e6, "latencies_us": latencies}), flush=True)


anyio.run(main)
