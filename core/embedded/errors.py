"""What can stop a start; each text is one sentence for the person at the terminal."""


class StartError(Exception):
    """The product cannot start or go on; the text says why and what to do."""


class StopRequested(Exception):
    """SIGINT, SIGTERM or SIGHUP came while something was awaited."""
