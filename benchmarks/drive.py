"""One peer, driven: `drive.py ADAPTER BASE_URL [--cold MODEL]`.

With `--cold` it asks once and exits. Else it reads one JSON command a line and answers one JSON object a line, so
that live peers can take turns.
"""

import asyncio
import importlib
import os
import sys
import time

from adapters.contract import Client

LIMIT_S = 180


async def cold(client: Client, model: str) -> None:
    """Answer one request as early as possible, and tell when and in how much memory."""
    await client.open()
    await client.unary(model, [{"role": "user", "content": "Say hello to the benchmark, please."}])
    done = time.monotonic_ns()
    import json

    import processes

    size = processes.memory(client.pids() or [os.getpid()])
    write(sys.stdout.fileno(), json.dumps({"done": done, "spawned_at": client.spawned_at, **size}))


def write(descriptor: int, line: str) -> None:
    """Write one line, past all buffers."""
    os.write(descriptor, line.encode() + b"\n")


def root(error: Exception) -> Exception:
    """The first error of a group of groups."""
    return root(error.exceptions[0]) if isinstance(error, ExceptionGroup) else error


def serve(client: Client) -> None:
    """Obey commands until stdin ends."""
    import json

    from loads import LOADS

    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints is not an answer
    with asyncio.Runner() as runner:
        runner.run(client.open())
        write(answers, "{}")
        for line in sys.stdin:
            command = json.loads(line)
            try:
                answer = runner.run(asyncio.wait_for(LOADS[command["load"]](client, command), LIMIT_S))
            except Exception as error:  # noqa: BLE001 - a peer may raise anything
                answer = {"failure": repr(root(error))[:400]}
            write(answers, json.dumps(answer))


def main() -> None:
    """Load the adapter and do as the arguments say."""
    adapter, base, *rest = sys.argv[1:]
    client = importlib.import_module(adapter).Adapter(base)
    if rest:
        asyncio.run(cold(client, rest[1]))
    else:
        serve(client)
    os._exit(0)


if __name__ == "__main__":
    main()
