"""What people send to act on a follow-up. Strict; unknown fields are passed over, as everywhere in the API."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.alerts import examples
from services.alerts.commands import Command
from services.alerts.states import Action, Outcome

_NO_CONTROL = r"^[^\x00-\x1f\x7f-\x9f]+$"

Name = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=_NO_CONTROL)]
Note = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]


class Act(BaseModel):
    """`version` is the one that was seen, `by` whoever acts."""

    model_config = ConfigDict(strict=True, json_schema_extra={"example": examples.ACT})

    version: int = Field(ge=1)
    by: Name

    def command(self, action: Action) -> Command:
        return Command(action, self.version, self.by, self.model_dump(exclude={"version", "by"}))


class Attempt(Act):
    model_config = ConfigDict(json_schema_extra={"example": examples.ATTEMPT})

    channel: Name
    outcome: Outcome


class Comment(Act):
    model_config = ConfigDict(json_schema_extra={"example": examples.COMMENT})

    note: Note


class Resolution(Act):
    """Without a cause nothing is learned from it, without an action nothing was done."""

    model_config = ConfigDict(json_schema_extra={"example": examples.RESOLUTION})

    root_cause: Name
    action: Name
