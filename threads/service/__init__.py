"""What pages and exports may ask for. Chooses the source, the live API or the archive, and records what was shown."""

from .conversations import get_user, list_items, read_conversation, read_whole_thread, thread_exists
from .customers import CustomerTotals, customer_totals
from .fallback import has_recovered
from .listing import (
    adjacent_thread_id,
    belongs_in_list,
    list_archive_only,
    list_for_export,
    list_same_user,
    list_threads,
    suggest_users,
)
from .results import Conversation, Listing, NeedsArchiveError

__all__ = [
    "Conversation",
    "CustomerTotals",
    "Listing",
    "NeedsArchiveError",
    "adjacent_thread_id",
    "belongs_in_list",
    "customer_totals",
    "get_user",
    "has_recovered",
    "list_archive_only",
    "list_for_export",
    "list_items",
    "list_same_user",
    "list_threads",
    "read_conversation",
    "read_whole_thread",
    "suggest_users",
    "thread_exists",
]
