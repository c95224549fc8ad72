"""The values that the client takes in and gives out. All are frozen; all text is safe to encode as UTF-8.

Shapes after OpenAI's published OpenAPI document, tags `chatkit.thread` and `chatkit.thread_item`. Where the
documentation and the live API differ, the types admit both, and a field that did not come is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Literal, TypeVar

Order = Literal["asc", "desc"]
"""By creation time: oldest first, or newest first."""

MAX_LIMIT = 100
"""The most rows that the API gives in one page."""

MAX_USER = 512
"""The longest `user` that the API takes, in characters."""

RowT_co = TypeVar("RowT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Status:
    """`label` is the upstream's own word: "active", "locked", "closed", or one not known yet."""

    label: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """One conversation. A field is None where the upstream sent null or nothing.

    `problems` names, in words, what in this row could not be read; the fields beside it are still good. `raw` is the
    upstream's own object, for whoever must hand it on complete.
    """

    id: str | None
    created_at: datetime | None = None
    title: str | None = None
    status: Status | None = None
    user: str | None = None
    problems: tuple[str, ...] = ()
    raw: object = field(default=None, repr=False, compare=False)

    def is_of(self, user: str) -> bool:
        """Whether the upstream says that it is of exactly this user, to the last character. One that names nobody is
        nobody's. A name that is not text to its end is in `user` with others in the place of what is not: it is not
        taken for that of somebody else."""
        return isinstance(self.raw, dict) and self.raw.get("user") == user


@dataclass(frozen=True, slots=True)
class Page(Generic[RowT_co]):
    """One page of a list, rows in the order asked for.

    `first_id` and `last_id` are the cursors of its ends, None when the page is empty. `has_more` tells whether
    more rows follow in the direction of paging. `lost` tells that there are more which nothing leads to. `notes` are
    sentences about the page as a whole.
    """

    rows: tuple[RowT_co, ...]
    first_id: str | None
    last_id: str | None
    has_more: bool
    notes: tuple[str, ...] = ()
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Deletion:
    """The upstream's word on a delete; `deleted` may be false."""

    id: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class Attachment:
    id: str | None
    type: str
    name: str | None
    mime_type: str | None
    preview_url: str | None


@dataclass(frozen=True, slots=True)
class Text:
    """A run of text. `type` is "input_text", "quoted_text" or "output_text"; `sources` are what it cites."""

    type: str
    text: str
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """What an annotation cites. `type` is "file" or "url"; `value` the file name or the address."""

    type: str
    value: str


@dataclass(frozen=True, slots=True)
class Task:
    """A step that the assistant reported. `task_type` is "custom" or "thought"."""

    task_type: str
    heading: str | None
    summary: str | None


@dataclass(frozen=True, slots=True)
class UserMessage:
    content: tuple[Text, ...]
    attachments: tuple[Attachment, ...]
    tool_choice: str | None
    model: str | None


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    content: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Widget:
    """`json` is the widget as the upstream sends it: a string of JSON, not checked to be valid."""

    json: str


@dataclass(frozen=True, slots=True)
class ClientToolCall:
    """`arguments` and `output` are strings of JSON, not checked to be valid; `output` is None until there is one."""

    status: str
    call_id: str | None
    name: str | None
    arguments: str | None
    output: str | None


@dataclass(frozen=True, slots=True)
class TaskGroup:
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """An item of a type that is not known yet, or that could not be read: the upstream's own object."""

    type: str | None
    raw: object


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Stands where the upstream has an item that this client does not read, since a page of it alone is too large.
    Where the item has no id here, there may be several in a row. `detail` says why, in words."""

    detail: str


Body = UserMessage | AssistantMessage | Widget | ClientToolCall | Task | TaskGroup | Unknown | LeftOut


@dataclass(frozen=True, slots=True)
class ThreadItem:
    """One entry of a conversation; what it says is in `body`. `problems` and `raw` as in `Thread`."""

    id: str | None
    created_at: datetime | None
    thread_id: str | None
    body: Body
    problems: tuple[str, ...] = ()
    raw: object = field(default=None, repr=False, compare=False)
