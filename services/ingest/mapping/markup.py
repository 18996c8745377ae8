"""Text out of HTML in one pass: linear in the length of any input.

Not `html.parser`: before the Python patches of 2025 it needs quadratic time on tags that never end.
"""

import html
import re

_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)")
_QUOTE_OR_END = re.compile(r"[\"'>]")
_BLOCK = re.compile(r"br|hr|p|div|li|ul|ol|table|tr|h[1-6]|blockquote|section|article")
_HIDDEN = {name: re.compile(rf"</{name}", re.ASCII | re.IGNORECASE) for name in ("script", "style")}


def strip_html(markup: str) -> str:
    """The readable text: no tags, comments, scripts or styles; entities decoded; spaces joined, blocks on own lines.

    What is not a tag stays (`<3`, `a < b`), and so does the rest behind a `<` that is never closed.
    """
    text = "".join(_Scan(markup).pieces())
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


class _Scan:
    """Each search that runs to the end without a find is never made again: this keeps the pass linear."""

    def __init__(self, markup: str) -> None:
        self._markup = markup
        self._hopeless: set[str] = set()

    def pieces(self) -> list[str]:
        found: list[str] = []
        text_from = position = 0
        while (start := self._markup.find("<", position)) >= 0:
            end, break_line = self._construct(start)
            if end < 0:
                position = start + 1
                continue
            found.append(html.unescape(self._markup[text_from:start]))
            found.append("\n" if break_line else "")
            text_from = position = end
        found.append(html.unescape(self._markup[text_from:]))
        return found

    def _construct(self, start: int) -> tuple[int, bool]:
        """Where the tag or comment at `start` ends (-1: it is text), and whether a new line begins there."""
        if self._markup.startswith("<!--", start):
            end = self._after("-->", start + 4)
            if end >= 0:
                return end, False
        if self._markup.startswith(("<!", "<?"), start):
            return self._after(">", start), False
        match = _NAME.match(self._markup, start)
        if match is None:
            return -1, False
        name = match[1].lower()
        end = self._tag_end(match.end())
        if end >= 0 and name in _HIDDEN and self._markup[start + 1] != "/":
            end = self._hidden_end(name, end)
        return end, _BLOCK.fullmatch(name) is not None

    def _after(self, mark: str, position: int) -> int:
        if mark in self._hopeless:
            return -1
        found = self._markup.find(mark, position)
        if found < 0:
            self._hopeless.add(mark)
            return -1
        return found + len(mark)

    def _tag_end(self, position: int) -> int:
        """Behind the `>` outside of quotes; once a quote has turned out to be open for ever, behind any `>`."""
        start, quote = position, ""
        while "quotes" not in self._hopeless and (match := _QUOTE_OR_END.search(self._markup, position)):
            position = match.end()
            if match[0] == ">" and not quote:
                return position
            if not quote:
                quote = match[0]
            elif match[0] == quote:
                quote = ""
        self._hopeless.add("quotes")
        return self._after(">", start)

    def _hidden_end(self, name: str, position: int) -> int:
        if name in self._hopeless:
            return position
        match = _HIDDEN[name].search(self._markup, position)
        if match is None:
            self._hopeless.add(name)
            return position
        return match.start()
