"""The daemon's life: check, open, listen, serve, stop.

Threads: the main thread runs the event loop (HTTP, events, the watchdog's sign of life); each sense has a pipeline
thread; the desk has two more (desk.py). They meet in the context builder, in the senses' health and in the loop.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from dataclasses import dataclass

from edge.daemon import api, listen, notify, pulse, server
from edge.daemon.house import House, open_house
from edge.daemon.options import DaemonOptions
from edge.daemon.pipeline import Pipeline

__all__ = ["DaemonOptions", "serve"]

STOP_PIPELINES_S = 0.5
"""How long the pipelines may take to finish their block; one that waits for its device longer is left behind."""

log = logging.getLogger(__name__)
