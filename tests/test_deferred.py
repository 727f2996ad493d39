"""What asyncio imports for TLS is loaded with its first use, and then is what it always was."""

import subprocess
import sys
import textwrap

from host import ROOT

IDLE = """
    import asyncio
    import sys

    assert "_ssl" not in sys.modules
    asyncio.run(asyncio.sleep(0))
    assert "_ssl" not in sys.modules
"""

TLS = """
    import asyncio
    import ssl

    assert ssl.create_default_context().verify_mode is ssl.CERT_REQUIRED
    assert asyncio.sslproto.SSLProtocol.__module__ == "asyncio.sslproto"
    assert type(ssl) is type(asyncio)
    assert ssl.__spec__.loader.path == ssl.__file__
"""

THREADS = """
    import ssl
    import threading

    start, found = threading.Barrier(8), []

    def look():
        start.wait()
        found.append(ssl.SSLContext)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [ssl.SSLContext] * 8
"""

ABSENT = """
    import ssl

    try:
        ssl.no_such_name
    except AttributeError:
        raise SystemExit(0)
    raise SystemExit(1)
"""


def run(program: str) -> None:
    preamble = "from sidecar import deferred; deferred.install()\n"
    done = subprocess.run(
        [sys.executable, "-c", preamble + textwrap.dedent(program)], cwd=ROOT, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_loop_without_tls_does_not_load_it() -> None:
    run(IDLE)


def test_a_deferred_module_is_whole_when_it_is_used() -> None:
    run(TLS)


def test_threads_that_use_it_first_at_the_same_time_all_find_it_whole() -> None:
    run(THREADS)


def test_a_name_that_is_not_there_is_still_an_attribute_error() -> None:
    run(ABSENT)
