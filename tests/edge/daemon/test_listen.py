import socket

import pytest

from edge.daemon import listen
from edge.daemon.listen import Address
from edge.errors import UsageError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8765", Address("127.0.0.1", 8765)),
        ("localhost:0", Address("127.0.0.1", 0)),
        ("[::1]:80", Address("::1", 80)),
        ("0.0.0.0:65535", Address("0.0.0.0", 65535)),
        ("unix:/run/roomtone/api.sock", Address(path="/run/roomtone/api.sock")),
    ],
)
def test_parses(text, address):
    assert listen.parse(text) == address


@pytest.mark.parametrize(
    "text", ["", "8765", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "tv.local:80", "unix:",
             "127.0.0.1:٣", "1.2.3.4.5:80"]
)  # fmt: skip
def test_refuses_what_is_no_address(text):
    with pytest.raises(UsageError, match="--listen"):
        listen.parse(text)


@pytest.mark.parametrize("text", ["127.0.0.1:1", "127.8.8.8:1", "[::1]:1", "unix:/a"])
def test_local_addresses_need_no_token(text):
    listen.require_token(listen.parse(text), None)


@pytest.mark.parametrize("text", ["0.0.0.0:1", "192.168.1.2:1", "[::]:1", "[fe80::1]:1"])
def test_other_addresses_need_one(text):
    with pytest.raises(UsageError, match="--token-file"):
        listen.require_token(listen.parse(text), None)
    listen.require_token(listen.parse(text), "secret" * 5)


@pytest.mark.parametrize(
    ("text", "host", "answers"),
    [
        ("127.0.0.1:80", "127.0.0.1:80", True),
        ("127.0.0.1:80", "LOCALHOST:80", True),
        ("127.0.0.1:80", "localhost", True),
        ("127.0.0.1:80", "[::1]:80", True),
        ("127.0.0.1:80", "evil.example:80", False),
        ("127.0.0.1:80", "localhost.evil.example", False),
        ("127.0.0.1:80", "192.168.1.5", False),
        ("127.0.0.1:80", "", False),
        ("127.0.0.1:80", "localhost:80@evil.example", False),
        ("127.0.0.1:80", "localhost:evil", False),
        ("127.0.0.1:80", "evil.example:80:localhost", False),
        ("0.0.0.0:80", "192.168.1.5:80", True),
        ("0.0.0.0:80", "[fe80::1]:80", True),
        ("0.0.0.0:80", "evil.example", False),
        ("0.0.0.0:80", f"{socket.gethostname()}.local:80", True),
        ("unix:/a", "anything", True),
    ],
)
def test_answers_only_to_names_that_cannot_be_rebound(text, host, answers):
    assert listen.parse(text).answers_to(host) is answers


def test_opens_any_free_port():
    with listen.open_socket(Address("127.0.0.1", 0)) as listening:
        assert listen.url(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}/"


def test_a_port_that_is_taken_is_named():
    with listen.open_socket(Address("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"127.0.0.1:{port}: Address already in use"):
            listen.open_socket(Address("127.0.0.1", port))


def test_a_unix_socket_is_for_owner_and_group(tmp_path):
    with listen.open_socket(Address(path=str(tmp_path / "s"))):
        assert (tmp_path / "s").stat().st_mode & 0o777 == 0o660


def test_a_stale_unix_socket_is_replaced_and_a_live_one_is_not(tmp_path):
    address = Address(path=str(tmp_path / "s"))
    listen.open_socket(address).close()  # the file stays, as after kill -9
    with listen.open_socket(address), pytest.raises(UsageError, match="already listens"):
        listen.open_socket(address)


def test_a_file_in_the_way_is_left_alone(tmp_path):
    (tmp_path / "s").write_text("precious")
    with pytest.raises(UsageError, match="not a socket"):
        listen.open_socket(Address(path=str(tmp_path / "s")))
    assert (tmp_path / "s").read_text() == "precious"


def write(path, content, mode=0o600):
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_reads_a_token(tmp_path):
    assert listen.read_token(write(tmp_path / "t", b"0123456789abcdef\n")) == "0123456789abcdef"


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (b"0123456789abcdef", 0o604, "chmod 600"),
        (b"short", 0o600, "16 to"),
        (b"0123456789 abcdef", 0o600, "without spaces"),
        (b"0123456789\nabcdef", 0o600, "one line"),
        (b"\xff" * 20, 0o600, "ASCII"),
        (b"x" * 5000, 0o600, "16 to"),
    ],
)
def test_refuses_a_token_that_is_none(tmp_path, content, mode, reason):
    with pytest.raises(UsageError, match=reason):
        listen.read_token(write(tmp_path / "t", content, mode))


def test_refuses_a_token_file_that_is_missing(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        listen.read_token(tmp_path / "none")


def test_answers_are_not_delayed():
    """asyncio sets TCP_NODELAY on sockets that say that they are TCP; without it every answer takes 44 ms."""
    with listen.open_socket(Address("127.0.0.1", 0)) as listening:
        assert listening.proto == socket.IPPROTO_TCP
