"""Providers on loopback that look closely at what they are sent, and refuse what breaks their rules."""

import json

import upstream
from provider_wires import Wire
from wire_rules import Json

KEY = "sk-test-1234567890abcdef"


class Scripted:
    """One provider's server. `refused` says why it refused what; `bodies` are all it was sent."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.refused: list[str] = []
        self.requests: list[upstream.Request] = []

    @property
    def bodies(self) -> list[Json]:
        return [request.json() for request in self.requests]

    async def __call__(self, exchange: upstream.Exchange) -> None:
        request, wire = exchange.request, self.wire
        self.requests.append(request)
        found = [*self._headers(request), *wire.rules(request.json())]
        if found:
            self.refused += found
            await upstream.answer({"error": {"message": "; ".join(found)}}, 400)(exchange)
            return
        await exchange.start(200, {"content-type": wire.content_type})
        await exchange.send(wire.words if exchange.number % 2 else wire.calls)
        await exchange.end()

    def _headers(self, request: upstream.Request) -> list[str]:
        wire, headers = self.wire, dict(request.headers)
        found = [] if request.path.endswith(wire.path) else [f"the path {request.path}"]
        if headers.pop(wire.key, None) != wire.prefix + KEY:
            found.append(f"no key in {wire.key}")
        if KEY in json.dumps(headers) + request.path + request.body.decode():
            found.append("the key in a wrong place")
        return found
