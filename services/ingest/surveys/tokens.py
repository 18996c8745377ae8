"""An invitation as the token of a link: whoever holds it can answer as the one who was invited, and read nothing."""

from datetime import datetime

import msgspec

from services.ingest.surveys.invitations import Invitation
from shared.sealing import NotUnsealed, Sealing

_PURPOSE = "survey"


class Unreadable(Exception):  # noqa: N818 - what is said of a token, not a mistake of the program
    """It was never a token of this deployment, or not of a survey, or somebody altered it."""


class Expired(Exception):  # noqa: N818 - as above
    """It was one, and its time is over."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Invitation).decode


def token_of(invitation: Invitation, sealing: Sealing) -> str:
    """Letters, digits, `-` and `_`; about 100 to 250 of them."""
    return sealing.seal(_PURPOSE, _encode(invitation))


def read_token(token: str, sealing: Sealing, now: datetime) -> Invitation:
    """Raises Unreadable, Expired."""
    try:
        invitation = _decode(sealing.unseal(_PURPOSE, token))
    except (NotUnsealed, msgspec.MsgspecError) as error:
        raise Unreadable from error
    if now >= invitation.open_until:
        raise Expired
    return invitation
