"""What is kept of a delivery's body can be read with zlib alone, by us and by anybody."""

import random
import zlib

import pytest

from bench.orders import Deliveries
from shared.events.raw import packed, unpacked

ORDER = Deliveries("a secret").make("000001", 1)[0].partition(b"\r\n\r\n")[2]
LARGEST = 512 * 1024
BODIES = [b"0", b"{}", ORDER, "żółć 🙂".encode() * 1_000, bytes(LARGEST), random.Random(7).randbytes(LARGEST)]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: f"{body[:8]!r} of {len(body)}")
def test_zlib_reads_what_is_kept(body: bytes) -> None:
    assert zlib.decompress(packed(body)) == body
    assert unpacked(packed(body)) == body


@pytest.mark.parametrize("body", BODIES, ids=lambda body: f"{body[:8]!r} of {len(body)}")
def test_what_is_kept_is_as_small_as_zlib_makes_it(body: bytes) -> None:
    assert len(packed(body)) <= 1.01 * len(zlib.compress(body, 1))


@pytest.mark.parametrize("kept", [b"", b"plain text", packed(ORDER)[:-1]])
def test_what_was_not_packed_here_is_refused(kept: bytes) -> None:
    with pytest.raises(ValueError, match="not compressed as bodies are"):
        unpacked(kept)
