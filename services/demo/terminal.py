"""What a person sees: bars while the play goes on, then one table that shows the loop closing, and where to look.

Fits 80 columns; without a terminal the same words come plain, without bars and colours.
"""

from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from services.demo.figures import Figures

_KEPT = {
    "local": "events, safe on this disk",
    "broker": "events, held by the broker",
    "replicated": "events, held by two brokers",
}
_WIDTH = 80


class Terminal:
    """`hidden`: nothing is shown, because a program reads the output."""

    def __init__(self, console: Console, *, hidden: bool) -> None:
        self._console = console
        self._hidden = hidden
        self._tasks: dict[str, TaskID] = {}
        columns = (
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<13}"),
            BarColumn(40),
            TextColumn("{task.fields[count]}"),
        )
        self._bars = Progress(*columns, console=console, disable=hidden or not console.is_terminal)

    def __enter__(self) -> Self:
        self._bars.start()
        self._tasks["starting"] = self._bars.add_task("starting", total=None, count="")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bars.stop()

    def progress(self, task: str, done: int, total: int) -> None:
        if task not in self._tasks:
            self._tasks[task] = self._bars.add_task(task, count="")
        self._bars.update(self._tasks[task], completed=done, total=total, count=f"{done:,} of {total:,}")

    def started(self) -> None:
        self._bars.update(self._tasks["starting"], completed=1, total=1)

    def show(self, seed: int, figures: Figures) -> None:
        self._bars.stop()
        if self._hidden:
            return
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        table.add_column(style="cyan", no_wrap=True)
        table.add_column(justify="right", style="bold", no_wrap=True)
        table.add_column()
        for row in rows(figures):
            table.add_row(*row, style="green" if row[1] == "balanced" else "red" if row[1] == "NOT BALANCED" else None)
        self._print(Text(f"\nThe loop of a simulated shop (seed {seed})\n", style="bold"))
        self._print(Padding(table, (0, 0, 0, 2)))

    def tell(self, *lines: str) -> None:
        self._bars.stop()
        if lines and not self._hidden:
            self._print(Text("\n".join(lines)))

    def _print(self, shown: Any) -> None:
        self._console.print(shown, width=min(self._console.width, _WIDTH), highlight=False)


def rows(figures: Figures) -> list[tuple[str, str, str]]:
    """What, how many, and at most 50 characters beside it."""
    told, suppressed = _equations(figures.reconciliation)
    return [
        ("received", f"{figures.sent:,}", _received(figures)),
        _scored(figures.reconciliation["feedback"]),
        _nps(figures.nps),
        _late(figures.late_delivery),
        ("follow-ups", f"{figures.opened:,}", "opened, at most one for each survey"),
        ("notified", f"{figures.notified:,}", _notified(figures.forged)),
        ("attempted", f"{figures.attempted:,}", "customers called or written to"),
        ("resolved", f"{figures.resolved:,}", f"with cause and action; {figures.waiting:,} still open"),
        ("reconciliation", "balanced" if figures.balanced else "NOT BALANCED", told),
        ("", "", suppressed),
    ]


def _received(figures: Figures) -> str:
    if not figures.new:
        return f"known since {figures.start:%Y-%m-%d %H:%M} UTC: none counts again"
    if figures.new < figures.sent:
        return f"{_KEPT[figures.durability]}; {figures.sent - figures.new:,} known before"
    return f"{_KEPT[figures.durability]}; {figures.repeated:,} of them came twice"


def _scored(feedback: dict[str, int]) -> tuple[str, str, str]:
    return "scored", f"{feedback['scored']:,}", f"answers; {feedback['superseded']:,} corrected or taken back since"


def _nps(nps: dict[str, Any]) -> tuple[str, str, str]:
    if nps["value"] is None:
        return "NPS", "–", "nobody has answered yet"
    low, high = nps["interval"]["low"], nps["interval"]["high"]
    return "NPS", f"{nps['value']:+.1f}", f"between {low:+.1f} and {high:+.1f} (95 %), n = {nps['n']:,}"


def _late(late: dict[str, Any]) -> tuple[str, str, str]:
    if late["value"] is None:
        return "late", "–", "nothing was delivered yet"
    return "late", f"{late['value']:.1f} %", f"of {late['n']:,} deliveries"


def _notified(forged: int | None) -> str:
    if forged is None:
        return "webhooks that your ALERTS_WEBHOOK_URL took"
    return f"webhooks; {forged:,} without a valid signature" if forged else "webhooks, each signature verified"


def _equations(reconciliation: dict[str, Any]) -> tuple[str, str]:
    """What was read and what became of it; detractors and what became of them. Zeros are left out."""
    topic = next(counts for name, counts in reconciliation["topics"].items() if name.endswith("feedback"))
    outcomes = {name: topic[name] for name in ("new", "duplicates", "conflicts")}
    outcomes["rejected"] = sum(topic["rejected"].values())
    detractors = reconciliation["detractors"]
    fates = {"follow-ups": detractors["followups"], "suppressed": sum(detractors["suppressed"].values())}
    fates["missing"] = detractors["missing"]
    return _sum("feedback", topic["read"], outcomes), _sum("detractors", detractors["total"], fates)


def _sum(name: str, total: int, parts: dict[str, int]) -> str:
    terms = " + ".join(f"{number:,} {part}" for part, number in parts.items() if number)
    return f"{total:,} {name} = {terms or 0}"
