"""The person at the screen: is asked for the keyring's password, and closes the dialog, or leaves it open."""

from threading import Event, Thread
from types import TracebackType
from typing import Any, Literal, Self

from jeepney import DBusAddress, HeaderFields, MessageType, message_bus, new_method_call, new_method_return
from jeepney.io.blocking import DBusConnection, open_dbus_connection

NAME = "org.gnome.keyring.SystemPrompter"
CALLBACK = "org.gnome.keyring.internal.Prompter.Callback"
Reaction = Literal["close", "leave"]


class Prompter:
    """Shows GNOME's dialogs on the bus at `address`; `asked` is set, and `dialogs` counted, for each one."""

    def __init__(self, address: str, reaction: Reaction) -> None:
        self.dialogs = 0
        self.asked = Event()
        self._reaction = reaction
        self._open: list[tuple[str, str]] = []
        self._bus: DBusConnection = open_dbus_connection(address)
        self._bus.send_and_get_reply(message_bus.RequestName(NAME))
        self._thread = Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for sender, path in self._open:
            self._tell(sender, path, "no")

    def _serve(self) -> None:
        try:
            while True:
                self._handle(self._bus.receive())
        except (ConnectionError, OSError):
            self._bus.close()

    def _handle(self, message: Any) -> None:
        fields = message.header.fields
        if message.header.message_type is not MessageType.method_call:
            return
        self._bus.send(new_method_return(message))
        sender, path = fields[HeaderFields.sender], message.body[0] if message.body else ""
        match fields[HeaderFields.member]:
            case "BeginPrompting":
                self._tell(sender, path, "")
            case "PerformPrompt":
                self.dialogs += 1
                if self._reaction == "close":
                    self._tell(sender, path, "no")
                else:
                    self._open.append((sender, path))
                self.asked.set()
            case _:
                pass

    def _tell(self, sender: str, path: str, reply: str) -> None:
        callback = DBusAddress(path, sender, CALLBACK)
        self._bus.send(new_method_call(callback, "PromptReady", "sa{sv}s", (reply, {}, "")))
