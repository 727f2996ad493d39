"""What a peer is made to do, and what is measured of it. Runs in the peer's own environment."""

import asyncio
import os
import time
from array import array
from typing import Any

import processes
from adapters.contract import Client, Messages

Command = dict[str, Any]
Sample = dict[str, Any]

PIXELS = "iVBORw0KGgoAAAANSUhEUgAA"
STAMP = len("T0000000000000000000 ")


def prompt(image_kb: int = 0) -> Messages:
    """A short question; with `image_kb`, about a base64 image of that size."""
    if not image_kb:
        return [{"role": "user", "content": "Say hello to the benchmark, please."}]
    url = "data:image/png;base64," + PIXELS * (image_kb * 1024 // len(PIXELS))
    parts = [{"type": "text", "text": "What is in this image?"}, {"type": "image_url", "image_url": {"url": url}}]
    return [{"role": "user", "content": parts}]


class Meter:
    """Wall time, and processor time of this process and of the peer's own ones, since it was made."""

    def __init__(self, client: Client) -> None:
        self.pids = client.pids()
        self.other, self.own, self.wall = processes.cpu(self.pids), time.process_time(), time.monotonic()

    def read(self) -> Sample:
        wall, own, other = time.monotonic() - self.wall, time.process_time() - self.own, processes.cpu(self.pids)
        return {"wall_s": wall, "cpu_s": own + other - self.other, "own_processes_cpu_s": other - self.other}


async def unary(client: Client, command: Command) -> Sample:
    """`n` requests one after the other, after `warm` more."""
    model, messages = command["model"], client.native(prompt(command.get("image_kb", 0)))
    for _ in range(command["warm"]):
        await client.unary(model, messages)
    meter, latencies = Meter(client), []
    for _ in range(command["n"]):
        started = time.monotonic_ns()
        await client.unary(model, messages)
        latencies.append((time.monotonic_ns() - started) / 1e3)
    return {**meter.read(), "latency_us": latencies}


async def streams(client: Client, command: Command) -> Sample:
    """`n` streams one after the other, after `warm` more; `characters` of text in all."""
    model, messages = command["model"], client.native(prompt())
    for _ in range(command["warm"]):
        async for _ in client.stream(model, messages):
            pass
    meter, first_token, characters = Meter(client), [], 0
    for _ in range(command["n"]):
        started, first = time.monotonic_ns(), True
        async for text in client.stream(model, messages):
            if first:
                first_token.append((time.monotonic_ns() - started) / 1e3)
                first = False
            characters += len(text)
    return {**meter.read(), "first_token_us": first_token, "characters": characters}


class Arrivals:
    """When stamped tokens were sent and received, however their text was cut or merged."""

    def __init__(self) -> None:
        self.delays = array("q")
        self.first_tokens = array("q")

    async def follow(self, client: Client, model: str, messages: Messages) -> None:
        """Read one stream to its end."""
        started, first, rest = time.monotonic_ns(), True, ""
        async for text in client.stream(model, messages):
            received = time.monotonic_ns()
            if first:
                self.first_tokens.append(received - started)
                first = False
            rest += text
            whole = len(rest) - len(rest) % STAMP
            self.delays.extend(received - int(rest[at + 1 : at + STAMP]) for at in range(0, whole, STAMP))
            rest = rest[whole:]


async def concurrent(client: Client, command: Command) -> Sample:
    """`n` streams at once, of stamped and paced tokens."""
    model, messages, arrivals = command["model"], client.native(prompt()), Arrivals()
    meter = Meter(client)
    async with asyncio.TaskGroup() as group:
        for _ in range(command["n"]):
            group.create_task(arrivals.follow(client, model, messages))
    delays, firsts = sorted(arrivals.delays), sorted(arrivals.first_tokens)
    return {
        **meter.read(),
        "tokens": len(delays),
        "delay_p50_us": at_fraction(delays, 0.5) / 1e3,
        "delay_p99_us": at_fraction(delays, 0.99) / 1e3,
        "first_p50_us": at_fraction(firsts, 0.5) / 1e3,
        "first_p99_us": at_fraction(firsts, 0.99) / 1e3,
    }


def at_fraction(ordered: list[int], fraction: float) -> int:
    """The value below which that fraction of the values lies."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * fraction))]


async def memory(client: Client, _: Command) -> Sample:
    """The size of the peer: its own processes where it has some, else this one."""
    return processes.memory(client.pids() or [os.getpid()])


async def keychain(client: Client, _: Command) -> Sample:
    """Load the keychain."""
    await client.keychain()
    return {}


LOADS = {
    "unary": unary,
    "streams": streams,
    "concurrent": concurrent,
    "memory": memory,
    "keychain": keychain,
}
