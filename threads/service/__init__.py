"""What pages may ask for, and which source answers: the API or the archive."""

from .listing import (
    Conversation,
    Listing,
    NeedsArchiveError,
    conversation,
    handed_over,
    is_live_again,
    is_theirs,
    is_thread,
    kept_alone,
    list_items,
    list_threads,
    neighbour,
    offered,
    others,
    owner,
    whole,
)

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
