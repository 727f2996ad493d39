"""A client of llm-sidecar: language models for desktop apps, of every provider, with asyncio or Trio.

`start_sidecar` gives a `Sidecar`, whose methods are in their namespaces; `chat.stream` gives a `Stream`; what fails
raises `SidecarError`. The types of the protocol are in `llm_sidecar.protocol`, the tables of its methods and errors in
`llm_sidecar.methods`. `Conversation` keeps the messages of a chat.
"""

from llm_sidecar.client import Sidecar, start_sidecar
from llm_sidecar.conversation import Conversation
from llm_sidecar.encoding import Secret, Unknown, decode, encode
from llm_sidecar.errors import SidecarError
from llm_sidecar.options import Options
from llm_sidecar.streams import Event, Iteration, Status, Stream

__all__ = [
    "Conversation",
    "Event",
    "Iteration",
    "Options",
    "Secret",
    "Sidecar",
    "SidecarError",
    "Status",
    "Stream",
    "Unknown",
    "decode",
    "encode",
    "start_sidecar",
]
