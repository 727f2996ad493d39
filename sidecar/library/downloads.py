"""Models fetched into the sidecar's folder, in one file or several."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final

from msgspec import Struct

from sidecar.concurrency import TaskGroup
from sidecar.engines.transport import Transport
from sidecar.library import names
from sidecar.library.download import Download, Fetched, Patience, Progress, Source
from sidecar.library.flights import Flights
from sidecar.library.gauge import Gauge
from sidecar.library.remote import FindKey, Remotes, checked_url
from sidecar.library.waiting import off_loop
from sidecar.providers.hub import file_url
from sidecar.schema.downloads import DownloadedModel, DownloadParams
from sidecar.schema.errors import SidecarError
from sidecar.schema.tasks import TaskReport

PATIENCE: Final = Patience()
MAIN: Final = "main"


class Item(Struct, frozen=True):
    """A file to fetch, and its path in the folder."""

    source: Source
    path: str


class Order(Struct, frozen=True):
    """Which files are wanted, in order, and the id of the model that they make up."""

    model: str
    items: list[Item]


def order_of(params: DownloadParams) -> Order:
    """Return what is wanted, or raise `invalid_params`."""
    digest = params.sha256.lower() if params.sha256 else None
    match params:
        case DownloadParams(url=str(url), repo=None, file=None):
            return _from_url(checked_url(url), digest)
        case DownloadParams(url=None, repo=str(repo), file=str(file)):
            return _from_hub(params, names.checked_repo(repo), names.checked_path(file, "file"), digest)
        case _:
            raise SidecarError("invalid_params", "A download needs either a url, or a repo and a file.")


def _from_url(url: str, digest: str | None) -> Order:
    name = names.name_in(url)
    parts = names.all_parts(name, "url")
    if len(parts) == 1:
        return _order([Item(Source(url=url, digest=digest), name)], digest)
    head, query = url.partition("?")[::2]
    folder = head.rpartition("/")[0]
    tail = f"?{query}" if query else ""
    return _order([Item(Source(url=f"{folder}/{part}{tail}"), part) for part in parts], digest)


def _from_hub(params: DownloadParams, repo: str, file: str, digest: str | None) -> Order:
    revision = params.revision or MAIN
    if ".." in revision:
        raise SidecarError("invalid_params", "There is no such revision.", param="revision")
    parts = names.all_parts(file, "file")
    own = digest if len(parts) == 1 else None
    urls = [checked_url(file_url(repo, part, revision)) for part in parts]
    sources = [Source(url=url, digest=own) for url in urls]
    return _order([Item(source, f"{repo}/{part}") for source, part in zip(sources, parts, strict=True)], digest)


def _order(items: list[Item], digest: str | None) -> Order:
    if digest and len(items) > 1:
        message = "A model in several files has no single sha256; the hub tells that of each."
        raise SidecarError("invalid_params", message, param="sha256")
    return Order(names.model_of(items[0].path), items)


class Downloads:
    """Fetches models into `folder`. `transport` is made when it is first needed."""

    def __init__(
        self,
        folder: Callable[[], Path],
        tasks: TaskGroup,
        transport: Callable[[], Transport],
        find_key: FindKey,
        patience: Patience = PATIENCE,
    ) -> None:
        self.flights = Flights(tasks)
        self._folder = folder
        self._make_transport = transport
        self._find_key = find_key
        self._patience = patience
        self._remotes: Remotes | None = None

    async def fetch(self, order: Order, report: Callable[[TaskReport], None]) -> DownloadedModel:
        """Return the model when all of it is there; `report` hears how far it is."""
        gauge = Gauge(monotonic)

        def progress(size: int, total: int | None) -> None:
            report(gauge.report(size, total))

        async def work(tell: Progress) -> list[Fetched]:
            return await self._fetch(order, tell)

        sources = [item.source for item in order.items]
        files = await self.flights.join(order.model, sources, work, progress)
        return DownloadedModel(
            model=order.model,
            path=str(files[0].path),
            size_bytes=sum(file.size for file in files),
            sha256=files[0].digest if len(files) == 1 else None,
        )

    async def _fetch(self, order: Order, tell: Progress) -> list[Fetched]:
        remotes = await self._ready()
        done: list[Fetched] = []
        for item in order.items:
            goal = await off_loop(self._goal, item.path)
            before = sum(file.size for file in done)
            last = item is order.items[-1]

            def progress(size: int, total: int | None, *, before: int = before, last: bool = last) -> None:
                tell(before + size, before + total if total is not None and last else None)

            done.append(await Download(remotes, item.source, goal, self._patience).run(progress))
        return done

    async def _ready(self) -> Remotes:
        if self._remotes is None:
            self._remotes = Remotes(await off_loop(self._make_transport), self._find_key)
        return self._remotes

    def _goal(self, path: str) -> Path:
        """Return where a file goes; raise where a link in the folder would lead it elsewhere."""
        folder = self._folder()
        goal = folder / path
        try:
            goal.parent.mkdir(parents=True, exist_ok=True)
            inside = goal.parent.resolve().is_relative_to(folder.resolve()) and not goal.is_symlink()
        except OSError as error:
            raise SidecarError(
                "download_failed", f"The models folder cannot be used: {error.strerror}.", retryable=False
            ) from None
        if not inside:
            raise SidecarError("path_not_allowed", "A link in the models folder leads out of it.")
        return goal
