"""Whose prompt is evaluated first."""

from sidecar.engines.llama.runtimes.readers import SHORT, Reader, Readers


def begins(reader: Reader) -> bool:
    """Tell whether it may begin without waiting."""
    return reader.begin(lambda: True)


def test_short_prompts_come_in_at_once_and_a_long_one_gives_way() -> None:
    readers = Readers()
    long, one, other = readers.join(SHORT + 1), readers.join(SHORT), readers.join(1)
    assert begins(long)
    assert not long.gives_way()
    assert begins(one)
    assert begins(other)
    assert (long.gives_way(), one.gives_way(), other.gives_way()) == (True, False, False)


def test_who_gave_way_goes_on_after_the_last_short_prompt() -> None:
    readers = Readers()
    long, one, other = readers.join(SHORT + 1), readers.join(1), readers.join(1)
    assert begins(long)
    assert begins(one)
    assert begins(other)
    long.end()
    one.end()
    assert not begins(long)
    other.end()
    assert begins(long)
    assert not long.gives_way()


def test_long_prompts_come_in_one_by_one() -> None:
    readers = Readers()
    one, other = readers.join(SHORT + 1), readers.join(10 * SHORT)
    assert begins(one)
    assert not begins(other)
    one.end()
    assert begins(other)


def test_to_end_twice_is_to_end_once() -> None:
    readers = Readers()
    long, one, other = readers.join(SHORT + 1), readers.join(1), readers.join(1)
    assert begins(one)
    assert begins(other)
    one.end()
    one.end()
    assert not begins(long)


def test_who_reads_no_more_gives_way_to_nobody() -> None:
    readers = Readers()
    long, short = readers.join(SHORT + 1), readers.join(1)
    assert begins(long)
    long.end()
    assert begins(short)
    assert not long.gives_way()
