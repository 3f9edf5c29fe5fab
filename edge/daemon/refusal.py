"""A request that the API refuses: an HTTP status, a stable code for programs and a sentence for people."""

from edge.errors import UsageError

RETRY_SOON = {"Retry-After": "1"}


class Refusal(UsageError):
    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = headers or {}

    def document(self) -> dict[str, dict[str, str]]:
        return {"error": {"code": self.code, "message": self.message}}
