"""The tiny household and its daemon, as tests/edge/daemon has them."""

from tests.edge.daemon.conftest import home, process, running, tiny, wait_until

__all__ = ["home", "process", "running", "tiny", "wait_until"]
