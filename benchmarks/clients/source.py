"""A sidecar that answers every `chat.stream` with the same stream: `source.py CHUNKS GAP_US`; a gap of 0 is a burst.

Each text is the time of writing in nanoseconds since the epoch, followed by padding to the size of a word or two.
"""

import json
import os
import sys
import time

CHUNKS, GAP_US = int(sys.argv[1]), int(sys.argv[2])
PIECE = 1 << 16


def line(message):
    return json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":")).encode() + b"\n"


def chunk(stream, seq):
    delta = {"type": "text", "index": 0, "text": f"{time.time_ns()} token"}
    return line({"method": "stream.chunk", "params": {"stream_id": stream, "seq": seq, "delta": delta}})


def write(data):
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def stream(id_, stream_id):
    if GAP_US:
        start = time.monotonic_ns()
        for seq in range(CHUNKS):
            time.sleep(max(0, start + seq * GAP_US * 1000 - time.monotonic_ns()) / 1e9)
            write(chunk(stream_id, seq))
    else:
        write(b"".join(chunk(stream_id, seq) for seq in range(CHUNKS)))
    write(line({"id": id_, "result": result(stream_id)}))


def result(stream_id):
    return {
        "stream_id": stream_id,
        "chunks": CHUNKS,
        "provider": "source",
        "model": "source",
        "message": {"role": "assistant", "content": [{"type": "text", "text": "the end"}]},
        "finish_reason": {"reason": "stop", "raw": None},
        "usage": {"source": "reported"},
        "cost": {"amount": None, "currency": "USD", "source": "unknown", "estimated": False},
        "timing": {"total_ms": 1},
        "attempts": [],
        "warnings": [],
    }


OPENED = {
    "protocol_version": 1,
    "server_info": {"name": "source", "version": "0", "pid": os.getpid()},
    "capabilities": {},
    "limits": {},
}

for text in sys.stdin.buffer:
    request = json.loads(text)
    if request["method"] == "chat.stream":
        stream(request["id"], request["params"].get("stream_id", "s"))
    elif "id" in request:
        write(line({"id": request["id"], "result": OPENED if request["method"] == "initialize" else {}}))
