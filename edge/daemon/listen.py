"""Where the daemon listens, and who may come in there.

Loopback and unix sockets are open to this machine's users. Any other address is refused without a token.
"""

import ipaddress
import re
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from edge.errors import UsageError

BACKLOG = 64
SEND_BUFFER_BYTES = 64 << 10
"""What the kernel holds for a client that does not read; left alone it grows to megabytes for each."""
SOCKET_MODE = 0o660
HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^\[\]:@/]+)(:[0-9]{1,5})?", re.ASCII)
"""A Host header in small letters (RFC 9110, section 7.2)."""
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
MIN_TOKEN_CHARACTERS = 16
MAX_TOKEN_CHARACTERS = 4096


@dataclass(frozen=True)
class Address:
    """Either ``path`` (a unix socket) or ``host``, an IP address, and ``port`` (0: any free one)."""

    host: str = ""
    port: int = 0
    path: str = ""

    @property
    def local(self) -> bool:
        """Whether only this machine can reach it."""
        return bool(self.path) or ipaddress.ip_address(self.host).is_loopback

    def answers_to(self, host: str) -> bool:
        """Whether a request with this Host header means us.

        A name that anybody's DNS server could point here is refused: to a browser such a page would be of our
        own origin (DNS rebinding). Browsers cannot reach unix sockets.
        """
        named = HOST.fullmatch(host.lower())
        name = named["name"] if named else ""
        if self.path or name in LOOPBACK_NAMES:
            return True
        own = socket.gethostname().lower()
        return not self.local and (_is_ip(name.strip("[]")) or name in (own, f"{own}.local"))


def parse(text: str) -> Address:
    """``127.0.0.1:8765``, ``[::1]:8765``, ``localhost:8765`` or ``unix:PATH``; raises UsageError."""
    if text.startswith("unix:"):
        if not text.removeprefix("unix:"):
            raise UsageError("--listen unix: lacks the socket's path; write unix:/run/roomtone/api.sock")
        return Address(path=text.removeprefix("unix:"))
    host, _, port = text.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    if not _is_ip(host):
        raise UsageError(f"--listen {text!r:.200} must be an IP address and a port, as in 127.0.0.1:8765, or unix:PATH")
    if not (port.isascii() and port.isdigit() and len(port) < 6 and int(port) <= 65535):
        raise UsageError(f"--listen {text!r:.200}: the port {port!r:.80} is not from 0 to 65535")
    return Address(host=host, port=int(port))


def open_socket(address: Address) -> socket.socket:
    """A listening socket; raises UsageError when the address is taken or not ours to use."""
    try:
        listening = _open_unix(Path(address.path)) if address.path else _open_tcp(address)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        return listening
    except OSError as error:
        where = address.path or f"{address.host}:{address.port}"
        raise UsageError(f"cannot listen on {where}: {error.strerror}; choose another --listen") from error


def url(listening: socket.socket) -> str:
    """The address that a person can open."""
    if listening.family == socket.AF_UNIX:
        return f"unix:{listening.getsockname()}"
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def read_token(path: Path) -> str:
    """The secret in a file that only its owner and group may read; raises UsageError."""
    try:
        mode = path.stat().st_mode
        with path.open(encoding="ascii") as file:
            token = file.read(MAX_TOKEN_CHARACTERS + 1).strip()
    except (OSError, ValueError) as error:
        raise UsageError(f"--token-file {path}: cannot be read as ASCII text: {error}") from error
    if mode & stat.S_IRWXO:
        raise UsageError(f"--token-file {path}: everybody can read it; run chmod 600 {path}")
    long_enough = MIN_TOKEN_CHARACTERS <= len(token) <= MAX_TOKEN_CHARACTERS
    if not long_enough or not token.isprintable() or " " in token:
        raise UsageError(
            f"--token-file {path}: needs one line of {MIN_TOKEN_CHARACTERS} to {MAX_TOKEN_CHARACTERS} "
            "characters without spaces; make one with: openssl rand -hex 32"
        )
    return token


def require_token(address: Address, token: str | None) -> None:
    """Raises UsageError when other machines could come in without showing anything."""
    if token is None and not address.local:
        raise UsageError(
            f"--listen {address.host}:{address.port} lets other machines in: add --token-file FILE "
            "(make one with: openssl rand -hex 32), or listen on 127.0.0.1"
        )


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _open_tcp(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # The protocol must be named: asyncio turns Nagle's delay off (44 ms an answer) only where it is.
    listening = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address.host, address.port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _open_unix(path: Path) -> socket.socket:
    _clear_stale(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        listening.bind(str(path))
        path.chmod(SOCKET_MODE)
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _clear_stale(path: Path) -> None:
    """Remove the socket of a daemon that was killed; leave alone what is alive or is no socket."""
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise UsageError(f"--listen unix:{path} exists and is not a socket; remove it or choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if probe.connect_ex(str(path)) == 0:
            raise UsageError(f"--listen unix:{path}: another process already listens there")
    path.unlink()
