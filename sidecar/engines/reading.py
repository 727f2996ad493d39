"""Reads what a provider has to tell beside answers: its models, whether a key is good."""

from typing import Final

from msgspec.structs import replace

from sidecar.dialects.contract import Dialect, HttpRequest, HttpResponse
from sidecar.dialects.pages import check_number
from sidecar.engines.addressing import Addressing, redirected
from sidecar.engines.answers import PAGE, REDIRECTS, SUCCESSES, failed, media_type, refusal, web_page, whole
from sidecar.engines.transport import Outgoing, Transport
from sidecar.handler import Target
from sidecar.schema.errors import SidecarError
from sidecar.schema.models import ModelInfo

MAX_PAGES: Final = 100
MAX_LISTING_BYTES: Final = 16 << 20
"""The longest page."""


class Reading:
    """Reads from one target."""

    def __init__(self, transport: Transport, addressing: Addressing, dialect: Dialect, target: Target) -> None:
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
        return await self._checked(request)

    async def post(self, asked: HttpRequest) -> bytes:
        """Return the body of the answer to `asked`."""
        request = self._addressing.post(self.target, asked)
        return (await self._checked(request)).body

    async def models(self) -> list[ModelInfo]:
        """Return all models that the server lists, page by page."""
        found: list[ModelInfo] = []
        path = self.models_path
        for _ in range(MAX_PAGES):
            page = self.dialect.decode_models((await self.get(path)).body, self.target.id)
            found += page.models
            check_number(found)
            if page.next_path is None:
                return found
            path = page.next_path
        raise SidecarError("malformed_response", "The provider's list of models does not end.")

    @property
    def models_path(self) -> str:
        """Where the models are listed."""
        return self.target.provider.models_path or self.dialect.models_path

    async def _checked(self, request: Outgoing) -> HttpResponse:
        response = await self._fetch(request)
        if response.status in REDIRECTS and request.body is None:
            request = replace(request, url=redirected(request.url, response.headers))
            response = await self._fetch(request)
        if response.status not in SUCCESSES:
            raise refusal(response, request, self.dialect, self.target.config.base_url)
        if media_type(response.headers) == PAGE:
            raise web_page(self.target.endpoint)
        return response

    async def _fetch(self, request: Outgoing) -> HttpResponse:
        async with self.transport.open(request) as answer:
            if answer.status not in SUCCESSES:
                return await failed(answer)
            bound = MAX_LISTING_BYTES if request.body is None else None
            return HttpResponse(answer.status, answer.headers, await whole(answer, bound))
