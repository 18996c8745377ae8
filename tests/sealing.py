"""One secret for every test that needs any."""

from shared.sealing import Sealing

SEALING = Sealing(b"a secret that only these tests have")
