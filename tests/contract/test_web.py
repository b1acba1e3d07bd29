"""Pages as a check asks for them: what answers, what is too slow, and where we never go."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from controlplane.adapters.web import Guard, Pages
from controlplane.adapters.web.fetching import MOST_BYTES

HERE = ("127.0.0.1",)
Answer = Callable[[socket.socket], None]
Serve = Callable[[Answer], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A server of one answer, byte by byte as the test wants it; its URL."""
    doors: list[socket.socket] = []
    answering: list[threading.Thread] = []

    def start(answer: Answer) -> str:
        door = socket.create_server(("127.0.0.1", 0))
        doors.append(door)

        def once() -> None:
            line, _ = door.accept()
            with line:
                line.recv(65536)
                try:
                    answer(line)
                except OSError:
                    return  # who asked went away

        answering.append(threading.Thread(target=once, daemon=True))
        answering[-1].start()
        return f"http://127.0.0.1:{door.getsockname()[1]}/health?deep=1"

    yield start
    for door in doors:
        door.close()
    for thread in answering:
        thread.join(10)


def head(status: str, *lines: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *lines, "", ""]).encode()


def test_a_page_is_its_status_and_the_beginning_of_its_text(serve: Serve) -> None:
    url = serve(lambda line: line.sendall(head("200 OK") + b"all is well"))
    page = Pages(Guard(HERE)).get(url, 10)
    assert (page.status, page.text, page.problem) == (200, "all is well", "")


def test_a_redirect_is_an_answer_and_not_followed(serve: Serve) -> None:
    elsewhere = "Location: http://169.254.169.254/latest/meta-data/"
    page = Pages(Guard(HERE)).get(serve(lambda line: line.sendall(head("302 Found", elsewhere))), 10)
    assert page.status == 302


def test_of_a_page_without_an_end_the_beginning_is_read(serve: Serve) -> None:
    def endless(line: socket.socket) -> None:
        line.sendall(head("200 OK"))
        while True:
            line.sendall(b"x" * 8192)

    assert len(Pages(Guard(HERE)).get(serve(endless), 30).text) == MOST_BYTES


@pytest.mark.parametrize("beginning", [b"", head("200 OK")], ids=["head", "body"])
def test_an_answer_that_drips_ends_in_its_time(serve: Serve, beginning: bytes) -> None:
    """Each byte comes within any time-out between two of them."""

    def drip(line: socket.socket) -> None:
        line.sendall(beginning)
        for letter in (head("200 OK") * 1000).decode():
            line.sendall(letter.encode())
            time.sleep(0.05)

    page = Pages(Guard(HERE)).get(serve(drip), 0.5)
    assert (page.status, page.problem) == (None, "no answer within 0.5 s")


def test_who_does_not_answer_is_a_page_with_a_problem() -> None:
    page = Pages(Guard(HERE)).get("http://127.0.0.1:1/", 10)
    assert (page.status, page.problem) == (None, "ConnectError")


@pytest.mark.parametrize(
    ("address", "said"),
    [("10.0.0.5", "not public"), ("169.254.169.254", "not public"), ("::ffff:127.0.0.1", "not public")],
)
def test_a_name_that_leads_inside_is_not_followed(address: str, said: str) -> None:
    page = Pages(Guard(look_up=lambda host, port: [address])).get("https://acme.example.com/", 10)
    assert page.status is None
    assert said in page.problem


@pytest.mark.parametrize(
    "url", ["http://example.com/", "ftp://example.com/", "https://ann:word@example.com/"]
)
def test_a_url_that_we_do_not_go_to_is_told(url: str) -> None:
    page = Pages(Guard(look_up=lambda host, port: ["93.184.216.34"])).get(url, 10)
    assert page.status is None
    assert page.problem
