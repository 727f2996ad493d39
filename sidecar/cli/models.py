"""`llm-sidecar models`: lists, describes, fetches and deletes models, those on this machine above all."""

import shlex
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from anyio.abc import TaskGroup
from msgspec import Struct

from sidecar.cli import failures, measures, model_tables, words
from sidecar.cli.client import CallFailed, Client
from sidecar.cli.conversation import APP
from sidecar.cli.fetching import CANCELLED, Fetching, remainder
from sidecar.cli.interrupts import handled_by
from sidecar.cli.model_options import Options, parse, parser
from sidecar.cli.options import LOCAL, is_file
from sidecar.cli.screen import NoteLevel, Screen, open_screen
from sidecar.cli.session import DONE, FAILED, INTERRUPTED, run
from sidecar.cli.tables import aligned
from sidecar.schema.downloads import DeletedModel, DownloadedModel
from sidecar.schema.errors import SidecarError
from sidecar.schema.models import ModelInfo, ModelList, Recommendation, Recommendations
from sidecar.schema.tasks import TaskProgress

OWN: Final = "models"
"""The source of what is in the sidecar's own folder."""
FOLDERS: Final = ("--data-dir=", "--models-dir=")
MANY: Final = 100_000
NOBODY: Final = "there is no terminal to ask at; --yes deletes without asking"


def main(arguments: list[str]) -> int:
    """Do what the command line asks for, and return the exit code."""
    options = parse(arguments)
    if options.action == "delete" and not options.yes and not sys.stdin.isatty():
        parser().error(NOBODY)
    screen = open_screen(_note_level(options))
    return run(lambda client, tasks: _do(client, options, screen, tasks), options.flags, screen)


def _note_level(options: Options) -> NoteLevel:
    return "none" if options.json and not sys.stderr.isatty() else "brief"


async def _do(client: Client, options: Options, screen: Screen, tasks: TaskGroup) -> int:
    try:
        await client.initialize(APP)
        return await ACTIONS[options.action](_Errand(client, options, screen, tasks))
    except CallFailed as failed:
        failures.tell(failed, options, screen)
        return FAILED


class _Errand(Struct, frozen=True):
    """A sidecar, and what is wanted of it, for whom."""

    client: Client
    options: Options
    screen: Screen
    tasks: TaskGroup

    def tell(self, result: object, lines: list[str]) -> None:
        """Write the result, to programs as it is, to people in words."""
        told = [msgspec.json.encode(result).decode()] if self.options.json else lines
        self.screen.text("".join(f"{line}\n" for line in told))

    async def models(self, provider: str) -> ModelList:
        """Return the models of a provider."""
        return await self.client.call("models.list", {"provider": provider}, ModelList)


async def _list(errand: _Errand) -> int:
    provider = errand.options.params["provider"]
    if provider != LOCAL:
        errand.screen.status(f"asking {provider}")
    listed = await errand.models(provider)
    errand.tell(listed, model_tables.lines(provider, listed.models, errand.screen.columns))
    return DONE


async def _info(errand: _Errand) -> int:
    model = errand.options.params["model"]
    file = model if is_file(model) else None
    if file:
        config = {"provider": LOCAL, "model_path": file}
        await errand.client.call("providers.set_active", {"config": config}, msgspec.Raw)
    listed = (await errand.models(LOCAL)).models
    found = listed[0] if file else next((info for info in listed if info.id == model), None)
    if found is None:
        hint = "`llm-sidecar models list` tells which there are."
        raise CallFailed(
            SidecarError("model_not_found", f'There is no model "{model}" on this machine.', hint=hint).to_object()
        )
    told = await _judged(errand, found)
    errand.tell(told, model_tables.facts(told, file))
    return FAILED if told.problem else DONE


async def _judged(errand: _Errand, info: ModelInfo) -> ModelInfo | Recommendation:
    """Return what is known of a local model, and whether it fits this machine, where that can be told."""
    wishes = {"providers": [LOCAL], "capabilities": info.capabilities or [], "limit": MANY}
    ranked = (await errand.client.call("models.recommend", wishes, Recommendations)).models
    return next((one for one in ranked if (one.id, one.source) == (info.id, info.source)), info)


async def _download(errand: _Errand) -> int:
    fetching = Fetching(errand.client, errand.screen, errand.tasks)
    try:
        done = await fetching.run(errand.options.params)
    except CallFailed as failed:
        return _tell_unfinished(errand, failed, fetching.progress.latest)
    about = [["file", done.path], *([["sha256", done.sha256]] if done.sha256 else [])]
    errand.tell(done, [f"{done.model} is here: {measures.size(done.size_bytes)}", *aligned(about, left=2)])
    errand.screen.note(f"Ask it with: {_question_to(done, errand.options)}")
    return DONE


def _question_to(done: DownloadedModel, options: Options) -> str:
    """Return the command that asks the model; `chat` looks for it by its name in the usual folder alone."""
    elsewhere = any(flag.startswith(FOLDERS) for flag in options.flags)
    model = ["--model", done.path] if elsewhere else ["--provider", LOCAL, "--model", done.model]
    return shlex.join(["llm-sidecar", "chat", *model])


def _tell_unfinished(errand: _Errand, failed: CallFailed, latest: TaskProgress) -> int:
    """Tell why a download ended, and what is left of it."""
    cancelled = failed.error.data.type == CANCELLED
    if cancelled and not errand.options.json:
        errand.screen.alert(words.ENDINGS["cancelled"])
    else:
        failures.tell(failed, errand.options, errand.screen)
    for line in remainder(failed.error, latest):
        errand.screen.note(line)
    return INTERRUPTED if cancelled else FAILED


async def _delete(errand: _Errand) -> int:
    model = errand.options.params["model"]
    if not errand.options.yes:
        asked = _question(model, (await errand.models(LOCAL)).models)
        try:
            if asked and not _agreed(asked):
                errand.screen.alert("Nothing is deleted.")
                return FAILED
        except KeyboardInterrupt:
            errand.screen.alert("")
            return INTERRUPTED
    deleted = await errand.client.call("models.delete", {"model": model}, DeletedModel)
    told = f"{model} is deleted, which freed {measures.size(deleted.freed_bytes)}."
    errand.tell(deleted, [told if deleted.deleted else f"There is no model {model} to delete."])
    return DONE if deleted.deleted else FAILED


def _question(model: str, models: list[ModelInfo]) -> str | None:
    """Return what to ask before a model is deleted; nothing for one that is not the sidecar's to delete."""
    sizes = [info.size_bytes or 0 for info in models if info.id == model and info.source == OWN]
    return f"Delete {model} ({measures.size(sizes[0])})? [y/N] " if sizes else None


def _agreed(question: str) -> bool:
    """Wait for an answer, and let the event loop wait, too."""
    with handled_by(lambda: signal.default_int_handler(signal.SIGINT, None)):
        sys.stderr.write(question)
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")


ACTIONS: Final[dict[str, Callable[[_Errand], Awaitable[int]]]] = {
    "list": _list,
    "info": _info,
    "download": _download,
    "delete": _delete,
}
