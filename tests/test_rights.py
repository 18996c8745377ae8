"""What the command says about a receipt; the erasure itself is told by tests/e2e/test_erasure.py."""

from typing import Any

import pytest

from services import rights


def _receipt(rows: int) -> dict[str, Any]:
    stores = [
        {"store": "scoring database", "rows": 0},
        {"store": "alerts database", "rows": rows},
        {"store": "log raw"},
    ]
    return {"complete": True, "stores": stores}


@pytest.mark.parametrize(("rows", "is_said"), [(0, True), (1, False)])
def test_a_name_that_nobody_knew_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rows: int, is_said: bool
) -> None:
    """A receipt is signed for a name that was spelled wrong too, and the person believes it."""

    async def erased(customer: str, seconds: float) -> dict[str, Any]:
        return _receipt(rows)

    monkeypatch.setattr(rights, "_erase", erased)
    rights.erase("c-1", as_json=True)
    assert ("nothing was known" in capsys.readouterr().err) is is_said
