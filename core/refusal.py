"""What is anticipated and shown to a person. All else is a bug and reaches the log."""

from django.utils.functional import Promise


class Refusal(Exception):
    """An anticipated no. `code` is stable and for programs, `text` is a whole sentence for a person (may be lazy)."""

    def __init__(self, code: str, text: str | Promise, *, status: int = 409) -> None:
        super().__init__(code)
        self.code = code
        self.text = text
        self.status = status

    def __str__(self) -> str:
        return str(self.text)


class NotAllowed(Refusal):
    """The person may not do this; said without telling whether the object exists."""

    def __init__(self, text: str | Promise) -> None:
        super().__init__("not_allowed", text, status=403)
