"""What the records refuse."""


class RecordError(Exception):
    """The root; `code` is stable."""

    code = "record_error"


class IdempotencyKeyReusedError(RecordError):
    """The idempotency key was used for another request."""

    code = "idempotency_key_reused"


class UnknownWebhookError(RecordError):
    """There is no such webhook."""

    code = "not_found"


class AuditBrokenError(RecordError):
    """The audit chain does not verify."""

    code = "audit_broken"

    def __init__(self, stream: str, sequence: int) -> None:
        super().__init__(f"{stream} entry {sequence}")
        self.stream, self.sequence = stream, sequence
