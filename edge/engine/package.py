"""Imports a runtime when it is first needed, and says plainly what is wrong when it cannot be."""

import importlib
from importlib import metadata
from types import ModuleType

from edge.errors import RuntimeMissingError


def find(module: str, package: str) -> ModuleType | None:
    """The module, or None when its package is not installed. Raises RuntimeMissingError when it is but fails."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == module.split(".")[0]:
            return None
        raise RuntimeMissingError(f"{package} is installed but lacks {error.name}; pip install {error.name}") from error
    except ImportError as error:
        raise RuntimeMissingError(f"{package} is installed but cannot be loaded: {str(error)[:200]}; "
                                  f"pip install --force-reinstall {package}") from error


def described(package: str) -> str:
    """``ai-edge-litert 2.3.0``; the name alone where the package came without its metadata."""
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return package
