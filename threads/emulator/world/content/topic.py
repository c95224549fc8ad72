"""The data structure of the text templates."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Opening:
    """The start of a conversation: possible titles, the first question and its answer."""

    titles: tuple[str, ...]
    ask: str
    answer: str


@dataclass(frozen=True, slots=True)
class Topic:
    """Templates for one kind of question. Texts have `{placeholders}`, filled in by `Facts`.

    - `more`: (question, answer) pairs that may follow any opening.
    - `call`: name, arguments and output of a tool call.
    - `steps`: (heading, summary) of tasks.
    - `card`: heading, text, badge and text of a widget.
    - `files`: possible attachments as (name, MIME type).
    - `link`: a page that answers cite.
    - `also`: the transition to another question of the same user.
    """

    openings: tuple[Opening, ...]
    more: tuple[tuple[str, str], ...]
    call: tuple[str, dict[str, object], dict[str, object]]
    steps: tuple[tuple[str, str], ...]
    card: tuple[str, str, str, str]
    link: str
    files: tuple[tuple[str, str], ...] = (("screenshot.png", "image/png"),)
    thanks: tuple[str, str] = ("Thanks, that is all I needed.", "You're welcome! Have a good {day}.")
    also: str = "Another thing:"
