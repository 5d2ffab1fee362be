"""How messages and comments of VK are named in our ids."""

import re
from dataclasses import dataclass

PUBLIC = "comments:"
"""Before the number of a person who speaks in public: never the same dialogue as his private messages."""
AREAS = ("wall", "photo", "video", "market", "topic")


@dataclass(frozen=True)
class Place:
    """Where people comment: an area, the owner and the number of the post, photo, video, goods or topic; `comment` 0 = the thing itself."""

    area: str
    owner: int
    thing: int
    comment: int = 0

    def __str__(self) -> str:
        return f"{self.area}:{self.owner}_{self.thing}:{self.comment}"

    @property
    def address(self) -> str:
        """The page of it on the site."""
        answer = f"?reply={self.comment}" if self.comment and self.area == "wall" else ""
        return f"https://vk.com/{'product' if self.area == 'market' else self.area}{self.owner}_{self.thing}{answer}"


def place_of(external_id: str) -> Place | None:
    """The place an id names, None for ids of another make."""
    found = re.fullmatch(rf"({'|'.join(AREAS)}):(-?\d{{1,16}})_(\d{{1,16}}):(\d{{1,16}})", external_id)
    return Place(found[1], int(found[2]), int(found[3]), int(found[4])) if found else None


def message_id(peer: int, number: int) -> str:
    """`<peer>:<number in the conversation>`: under API 5.80 and later the global id of a community's message may be 0."""
    return f"{peer}:{number}"


def number_in(external_id: str, peer: str) -> int | None:
    """The number of a message in the conversation with `peer`, None if the id is of another make or conversation."""
    found = re.fullmatch(rf"{re.escape(peer)}:(\d{{1,16}})", external_id)
    return int(found[1]) if found and int(found[1]) else None
