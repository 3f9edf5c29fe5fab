"""Converters that talk: their progress, their warnings and their stack traces, cut down to what helps."""

import contextlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator

STDERR = 2


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """The converters print progress and warn of their own deprecations; neither helps whoever exports.

    Their native code writes to the process's standard error itself, which is therefore turned away for the time.
    """
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (_no_native_stderr(), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()),
              contextlib.redirect_stderr(io.StringIO())):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


@contextlib.contextmanager
def _no_native_stderr() -> Iterator[None]:
    sys.stderr.flush()
    kept = os.dup(STDERR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDERR)
    try:
        yield
    finally:
        os.dup2(kept, STDERR)
        os.close(kept)
        os.close(nowhere)


def first_line(error: BaseException) -> str:
    """What an error says first, of its cause if it has one."""
    lines = [line.strip() for line in str(error.__cause__ or error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
