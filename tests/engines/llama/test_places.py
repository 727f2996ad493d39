"""How conversations share a context."""

import threading

from sidecar.engines.llama.runtimes.places import Held, Places

SOON_S = 5.0


class Waiting:
    """One who waits for places in a thread. `got` is what came of it."""

    def __init__(self, places: Places, wanted: int) -> None:
        self.got: Held | None = None
        self.cancelled = False
        self._asked = threading.Event()
        self._thread = threading.Thread(target=lambda: self._wait(places, wanted), daemon=True)
        self._thread.start()
        assert self._asked.wait(SOON_S)

    def _wait(self, places: Places, wanted: int) -> None:
        self.got = places.take(wanted, self._look)

    def _look(self) -> bool:
        self._asked.set()
        return self.cancelled

    def end(self) -> bool:
        """Return whether it ended."""
        self._thread.join(SOON_S)
        return not self._thread.is_alive()


def taken(places: Places, wanted: int) -> Held:
    """Return what is to be had without waiting."""
    held = places.take(wanted, lambda: True)
    assert held is not None
    return held


def test_who_does_not_fit_waits_until_others_end() -> None:
    places = Places(1000, 4)
    with taken(places, 600):
        second = Waiting(places, 500)
        assert second.got is None
    assert second.end()
    assert second.got is not None


def test_there_are_only_so_many_turns_however_much_room_there_is() -> None:
    places = Places(1000, 2)
    with taken(places, 10), taken(places, 10):
        third = Waiting(places, 10)
    assert third.end()
    assert third.got is not None


def test_the_first_to_come_is_the_first_to_go() -> None:
    places = Places(1000, 4)
    with taken(places, 600):
        large = Waiting(places, 900)
        small = Waiting(places, 10)
    assert large.end()
    assert large.got is not None
    with large.got:
        assert small.end()


def test_who_waits_can_be_cancelled_and_keeps_nothing() -> None:
    places = Places(1000, 4)
    with taken(places, 600):
        second = Waiting(places, 500)
        second.cancelled = True
        assert second.end()
        assert second.got is None
        with taken(places, 400):
            pass
    with taken(places, 1000):
        pass


def test_who_is_alone_may_have_the_whole_context() -> None:
    places = Places(1000, 4)
    with taken(places, 5000) as held:
        assert all(held.enough(used) for used in range(1001))
    with taken(places, 10) as held:
        assert all(held.enough(used) for used in range(1001))


def test_an_answer_is_cut_before_all_of_them_have_no_place_left() -> None:
    places = Places(1024, 4)
    with taken(places, 512) as one, taken(places, 512) as other:
        assert other.enough(400)
        cut = next(used for used in range(1024) if not one.enough(used))
    assert 512 - 64 < cut < 512


def test_what_grew_is_free_again() -> None:
    places = Places(1000, 4)
    with taken(places, 100) as held:
        assert held.enough(900)
    with taken(places, 1000):
        pass
