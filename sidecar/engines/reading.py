"""Reads what a provider has to tell beside answers: its models, whether a key is good."""

from sidecar.dialects.contract import ChatDialect, HttpResponse
from sidecar.engines.addressing import Addressing, redirected
from sidecar.engines.answers import PAGE, REDIRECTS, SUCCESSES, failed, media_type, refusal, web_page, whole
from sidecar.engines.transport import Outgoing, Transport
from sidecar.handler import Target


class Reading:
    """Reads from one target."""

    def __init__(self, transport: Transport, addressing: Addressing, dialect: ChatDialect, target: Target) -> None:
        self.transport = transport
        self.dialect = dialect
        self.target = target
        self._addressing = addressing

    def address(self, path: str) -> Outgoing:
        """Return the request for `path`; raise where it must not be made."""
        return self._addressing.get(self.target, path)

    async def get(self, path: str) -> HttpResponse:
        """Return what lies at `path`; the server may point, once, to another place of its own."""
        request = self.address(path)
        response = await self._fetch(request)
        if response.status in REDIRECTS:
            request = Outgoing(url=redirected(request.url, response.headers), headers=request.headers)
            response = await self._fetch(request)
        if response.status not in SUCCESSES:
            raise refusal(response, request, self.dialect, self.target.endpoint)
        if media_type(response.headers) == PAGE:
            raise web_page(self.target.endpoint)
        return response

    async def _fetch(self, request: Outgoing) -> HttpResponse:
        async with self.transport.open(request) as answer:
            if answer.status not in SUCCESSES:
                return await failed(answer)
            return HttpResponse(answer.status, answer.headers, await whole(answer))
