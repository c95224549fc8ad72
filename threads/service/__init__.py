"""What pages and exports may ask for. Chooses the source, the live API or the archive, and records what was shown."""

from .conversations import get_user, list_items, read_conversation, read_whole_thread, thread_exists
from .customers import CustomerTotals, customer_totals
from .fallback import has_recovered
from .listing import (
    adjacent_thread,
    belongs_in_list,
    count,
    count_by_status,
    is_customer,
    list_archive_only,
    list_for_export,
    list_same_user,
    list_threads,
    similar_users,
    suggest_users,
)
from .results import Conversation, Listing, NeedsArchiveError
from .search_box import BoxMeaning, interpret

__all__ = [
    "BoxMeaning",
    "Conversation",
    "CustomerTotals",
    "Listing",
    "NeedsArchiveError",
    "adjacent_thread",
    "belongs_in_list",
    "count",
    "count_by_status",
    "customer_totals",
    "get_user",
    "has_recovered",
    "interpret",
    "is_customer",
    "list_archive_only",
    "list_for_export",
    "list_items",
    "list_same_user",
    "list_threads",
    "read_conversation",
    "read_whole_thread",
    "similar_users",
    "suggest_users",
    "thread_exists",
]
