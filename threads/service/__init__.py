"""What pages and exports may ask for. Chooses the source, the live API or the archive, and records what was shown."""

from .conversations import conversation, is_thread, list_items, owner, whole
from .fallback import is_live_again
from .listing import handed_over, is_theirs, kept_alone, list_threads, neighbour, offered, others
from .results import Conversation, Listing, NeedsArchiveError

__all__ = [
    "Conversation",
    "Listing",
    "NeedsArchiveError",
    "conversation",
    "handed_over",
    "is_live_again",
    "is_theirs",
    "is_thread",
    "kept_alone",
    "list_items",
    "list_threads",
    "neighbour",
    "offered",
    "others",
    "owner",
    "whole",
]
