"""Every error that Roomtone raises on purpose, with the exit code that a command turns it into.

A message is one sentence that names the thing, the value and the fix; it is shown to people as it stands.
"""


class RoomtoneError(Exception):
    """Root of all errors that a user can meet; a command prints it without a traceback and exits 1."""

    exit_code = 1


class UsageError(RoomtoneError):
    """An argument or a setting that cannot be used; a command exits 2."""

    exit_code = 2


class ProfileError(UsageError):
    """A firmware profile that is unknown, malformed or has an impossible value."""


class BudgetError(RoomtoneError):
    """A plan that does not fit the profile's memory budget."""


class BundleError(RoomtoneError):
    """A model bundle that is missing, altered or not for this version."""


class SnapshotError(RoomtoneError):
    """A catalogue snapshot that is missing, altered or made for another bundle's space."""


class EngineError(RoomtoneError):
    """An inference runtime that cannot load or run a model."""


class RuntimeMissingError(EngineError):
    """The inference runtime is not installed, or is installed beside a library that it cannot work with."""


class ModelFileError(EngineError):
    """A model file that is empty, truncated or of another format."""


class ShapeError(EngineError):
    """An array whose shape or dtype is not what the model takes."""


class MediaError(RoomtoneError):
    """A sound or picture source that is missing, empty, damaged or of no use."""


class StateError(RoomtoneError):
    """The device's own state (history, taste) cannot be read or written."""


class ConflictError(StateError):
    """An event whose id was used before with other content."""


class UpdateError(RoomtoneError):
    """A new release that cannot be fetched, is not what its makers signed, or does not work on this device."""


class ExportError(RoomtoneError):
    """The host side could not turn a model, media or ratings into something a device can trust."""
