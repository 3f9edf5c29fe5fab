"""Converters that talk: their progress, their warnings and their stack traces, cut down to what helps."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """The converters print progress and warn of their own deprecations; neither helps whoever exports."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def first_line(error: BaseException) -> str:
    """What an error says first, of its cause if it has one."""
    lines = [line.strip() for line in str(error.__cause__ or error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
