"""What there is to say about one kind of question."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Opening:
    """How a conversation begins: titles that fit, the first question, the answer to it."""

    titles: tuple[str, ...]
    ask: str
    answer: str


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of question that customers ask. Texts hold `{fact}` names from facts.py.

    `more` are (question, answer) pairs that may follow any of the openings. `call` is a tool's
    name, arguments and output; `steps` are the (heading, summary) of tasks; `card` the lines of a
    widget: heading, text, badge, text; `files` what the customer may attach as (name, MIME type);
    `link` what an answer may cite. `also` leads over to another question of the same customer.
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
