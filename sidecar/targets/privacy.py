"""Where a request may go by the wish of its host, told from names alone: nothing is looked up."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from sidecar.providers.origins import is_loopback
from sidecar.schema.chat import ChatRequest, File, Part, ProviderTool, ToolResult, UrlSource
from sidecar.schema.errors import SidecarError
from sidecar.schema.policies import Privacy
from sidecar.targets.instance import Instance

ANYWHERE: Final = Privacy()


def forbidden(instance: Instance, endpoint: str, model: str, privacy: Privacy) -> SidecarError | None:
    """Return `privacy_blocked` where a request to `model` at `endpoint` would go where it may not."""
    if privacy.allow_providers is not None and instance.id not in privacy.allow_providers:
        return _blocked(instance, f'The request may not go to "{instance.id}".')
    if not privacy.local_only or instance.record.engine != "http":
        return None
    if not is_loopback(endpoint):
        host = urlsplit(endpoint).netloc
        return _blocked(instance, f"The request may not leave this machine, and {host} is not on it.")
    if instance.record.remote_models.search(model):
        return _blocked(instance, f"{instance.record.name} does not run {model} on this machine, but hands it on.")
    return None


def check_question(request: ChatRequest) -> None:
    """Raise `privacy_blocked` where a server would have to leave this machine for what a local request refers to."""
    if request.privacy is None or not request.privacy.local_only:
        return
    if any(_names_an_address(message.content) for message in request.messages):
        message = "A file that is named by an address would be fetched over the network; send it as data."
        raise SidecarError("privacy_blocked", message, param="messages")
    if any(isinstance(tool, ProviderTool) for tool in request.tools):
        message = "A tool that the server runs itself may reach beyond this machine."
        raise SidecarError("privacy_blocked", message, param="tools")


def _names_an_address(content: str | Sequence[Part]) -> bool:
    return not isinstance(content, str) and any(map(_is_remote, content))


def _is_remote(part: Part) -> bool:
    if isinstance(part, ToolResult):
        return _names_an_address(part.content)
    return isinstance(part, File) and isinstance(part.source, UrlSource)


def _blocked(instance: Instance, message: str) -> SidecarError:
    return SidecarError("privacy_blocked", message, provider=instance.id)
