"""A listening socket from whoever started us: systemd (sd_listen_fds(3)), or ourselves on a reload."""

import os
import socket
import sys
from typing import NoReturn

from edge.daemon import listen
from edge.daemon.listen import Address
from edge.errors import UsageError

FIRST_DESCRIPTOR = 3
OURS = "roomtone-again"
"""LISTEN_FDNAMES of a socket that we made ourselves, before a reload."""


def open_socket(address: Address) -> tuple[socket.socket, bool]:
    """The inherited socket or a new one, and whether a unix socket's file is ours to remove. Raises UsageError."""
    meant_for, count, names = (os.environ.pop(f"LISTEN_{key}", "") for key in ("PID", "FDS", "FDNAMES"))
    if meant_for != str(os.getpid()) or count != "1":
        return listen.open_socket(address), True
    found = socket.socket(fileno=FIRST_DESCRIPTOR)
    found.set_inheritable(False)
    check_place(found, address)
    return found, names == OURS


def check_place(listening: socket.socket, address: Address) -> None:
    """Who may come in is decided by --listen: raises UsageError where the socket listens elsewhere."""
    name = listening.getsockname()
    found = name if isinstance(name, str) else name[:2]
    wanted = str(address.path) if address.path else (address.host, address.port or name[1])
    if found != wanted:
        raise UsageError(f"the inherited socket listens on {name!s:.200} and not where --listen says; let both say it")


def start_again(listening: socket.socket) -> NoReturn:
    """Become a new process of the same command line and number; who connects meanwhile waits in the socket's queue."""
    os.dup2(listening.fileno(), FIRST_DESCRIPTOR, inheritable=True)
    os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": OURS}
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, sys.orig_argv)

