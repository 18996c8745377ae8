"""Why an import ends early, and with which exit code."""


class EndedEarlyError(Exception):
    """Ends the import; its text is the one sentence that the user of the command reads, `code` as in `FileError`."""

    exit_code = 3

    def __init__(self, sentence: str, *, code: str = "other") -> None:
        super().__init__(sentence)
        self.code = code


class NothingSentError(EndedEarlyError):
    """Wrong from the start (arguments, file, mapping, key, address): exit code 2."""

    exit_code = 2


class StoppedError(EndedEarlyError):
    """Run again, the import goes on where it stopped: exit code 3."""
