"""One upload as the process sees it that reads its file."""

from pathlib import Path

import msgspec

from services.ingest.uploads.files import CONTENT, DOCUMENT, ENDED, FACTS, LOOK, write
from services.ingest.uploads.kept import Ended, Facts, Look


class Own:
    def __init__(self, folder: Path) -> None:
        self.content = folder / CONTENT
        self.errors = folder / f"{CONTENT}.errors.csv"
        self._folder = folder

    def facts(self) -> Facts:
        return msgspec.json.decode((self._folder / FACTS).read_bytes(), type=Facts)

    def document(self) -> bytes:
        return (self._folder / DOCUMENT).read_bytes()

    def looked(self, look: Look) -> None:
        write(self._folder / LOOK, msgspec.json.encode(look))

    def ended(self, ended: Ended) -> None:
        """Of a file that was read to its end nothing stays but the counts and what was rejected."""
        write(self._folder / ENDED, msgspec.json.encode(ended))
        if ended.stopped is None:
            for name in (CONTENT, DOCUMENT, LOOK):
                (self._folder / name).unlink(missing_ok=True)

    def without_place(self, sentence: str) -> str:
        """Where the file lies is of no use to who sent it."""
        return sentence.replace(f"{self.content}: ", "").replace(f"{self._folder}/", "")
