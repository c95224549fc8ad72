"""Parameters and results of the API client. All are frozen, and all text can be encoded as UTF-8.

Source: OpenAI's published OpenAPI document, tags `chatkit.thread` and `chatkit.thread_item`. Where the document and the
live API differ, the types allow both. A field that the reply lacks is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Literal, TypeVar

Order = Literal["asc", "desc"]
"""Order by creation time: "asc" is oldest first. Source: OpenAPI document."""

MAX_LIMIT = 100
"""Most rows per page. Source: OpenAPI document, `limit`."""

MAX_USER = 512
"""Longest `user`, in characters. Source: OpenAPI document, `user`."""

RowT_co = TypeVar("RowT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Status:
    """A thread's status. `label` is the API's `type`: "active", "locked", "closed" (OpenAPI document), or a new one."""

    label: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread. A field is None where the upstream sent null or nothing.

    `problems` describes the fields that could not be read; the others are valid. `raw` is the upstream's own object.
    """

    id: str | None
    created_at: datetime | None = None
    title: str | None = None
    status: Status | None = None
    user: str | None = None
    problems: tuple[str, ...] = ()
    raw: object = field(default=None, repr=False, compare=False)

    def is_of(self, user: str) -> bool:
        """Whether the upstream names exactly this user. Compares with `raw`: `user` has U+FFFD for lone surrogates,
        so two different ids could look the same there."""
        return isinstance(self.raw, dict) and self.raw.get("user") == user


@dataclass(frozen=True, slots=True)
class Page(Generic[RowT_co]):
    """One page of a list, rows in the order asked for.

    `first_id` and `last_id` are the cursors at its ends, None on an empty page. `has_more` is whether more rows follow
    in the direction of paging. `lost` means that there are more rows and no cursor leads to them. `notes` are sentences
    about the page for the reader.
    """

    rows: tuple[RowT_co, ...]
    first_id: str | None
    last_id: str | None
    has_more: bool
    notes: tuple[str, ...] = ()
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Deletion:
    """The reply to a delete. `deleted` may be false."""

    id: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file or an image of a user message. Source: OpenAPI document."""

    id: str | None
    type: str
    name: str | None
    mime_type: str | None
    preview_url: str | None


@dataclass(frozen=True, slots=True)
class TextPart:
    """A part of a message. `type` is "input_text", "quoted_text" or "output_text" (OpenAPI document); `sources` are its
    citations."""

    type: str
    text: str
    sources: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A citation. `type` is "file" or "url" (OpenAPI document); `value` is the file name or the URL."""

    type: str
    value: str


@dataclass(frozen=True, slots=True)
class Task:
    """A step that the assistant reports. `task_type` is "custom" or "thought" (OpenAPI document)."""

    task_type: str
    heading: str | None
    summary: str | None


@dataclass(frozen=True, slots=True)
class UserMessage:
    """A message of the end user. `tool_choice` is the id of a tool, `model` the name of a model, where the user chose
    one."""

    content: tuple[TextPart, ...]
    attachments: tuple[Attachment, ...]
    tool_choice: str | None
    model: str | None


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """A message of the assistant."""

    content: tuple[TextPart, ...]


@dataclass(frozen=True, slots=True)
class WidgetItem:
    """A widget. `json` is a JSON string as the upstream sends it, not validated."""

    json: str


@dataclass(frozen=True, slots=True)
class ClientToolCall:
    """A call of a client tool. `arguments` and `output` are JSON strings, not validated; `output` is None until it
    exists."""

    status: str
    call_id: str | None
    name: str | None
    arguments: str | None
    output: str | None


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """Several steps that the assistant reports together."""

    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """An item of an unknown type, or one that could not be read. `raw` is the upstream's own value."""

    type: str | None
    raw: object


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Placeholder for an item that is too large to read, even alone on a page. Where its id is unknown, it may stand
    for several items in a row. `detail` is the reason in words."""

    detail: str


Body = UserMessage | AssistantMessage | WidgetItem | ClientToolCall | Task | TaskGroup | Unknown | LeftOut


@dataclass(frozen=True, slots=True)
class ThreadItem:
    """One item of a thread, its content in `body`. `problems` and `raw` as in `Thread`."""

    id: str | None
    created_at: datetime | None
    thread_id: str | None
    body: Body
    problems: tuple[str, ...] = ()
    raw: object = field(default=None, repr=False, compare=False)
