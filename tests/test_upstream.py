import threading
from urllib.request import urlopen

import upstream
from upstream import Exchange


def test_a_thread_of_its_own_serves_tests_that_are_no_coroutines() -> None:
    with upstream.running(upstream.answer(b"hello")) as server, urlopen(server.url + "/a") as answer:
        assert answer.read() == b"hello"
        assert [request.path for request in server.requests] == ["/a"]


def test_a_gate_holds_an_answer_back() -> None:
    gate, bodies = upstream.Gate(), []

    async def handler(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(b"before ")
        await gate.passed()
        await exchange.send(b"after")
        await exchange.end()

    def read(url: str) -> None:
        with urlopen(url) as answer:
            bodies.append(answer.read(7))
            gate.open()
            bodies.append(answer.read())

    with upstream.running(handler) as server:
        client = threading.Thread(target=read, args=(server.url,))
        client.start()
        client.join(10)
    assert bodies == [b"before ", b"after"]
