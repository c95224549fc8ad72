"""Receipt of an erasure, for its page and as JSON."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import unquote

from django.db.models import Count, QuerySet

from threads import masking
from threads.lib.db import chunked

from .models import Erasure, Target

State = Target.State


def counts(job: Erasure) -> dict[str, int]:
    """The number of threads in each state, in the order of the states, without zeros."""
    found = Counter(dict(job.targets.values_list("state").annotate(Count("pk"))))
    return {state.value: found[state.value] for state in State if found[state.value]}


def not_erased(job: Erasure) -> QuerySet[Target]:
    """Threads that ended without being erased: failed, unknown, or skipped."""
    return job.targets.filter(state__in=[State.FAILED, State.UNKNOWN, State.SKIPPED]).order_by("id")


def is_cut_short(job: Erasure) -> bool:
    """Whether it was cut short, or threads may be left in the user's list."""
    return bool(job.error or job.traces.get("lost") or job.traces.get("listed"))


def last_look(job: Erasure) -> str:
    """A sentence about threads of the user that arrived meanwhile; "" for other kinds, and before the end."""
    if job.kind != Erasure.Kind.USER or job.finished_at is None:
        return ""
    if job.looked_at is not None:
        return "Final check: no other threads found."
    if job.looks:
        return (
            f"Final check: {job.looks} checks found new threads each time, and erased them. There may be more by now."
        )
    return "Final check: not done, so new threads of this customer may be left."


def remarks(job: Erasure) -> list[str]:
    """Further remarks, in sentences."""
    sentences = []
    if orders := job.rule.get("orders"):
        sentences.append(
            f"It repeats, on a restored backup, what the erasures file says: {_many(len(orders), 'erasure')}."
        )
    if unfinished := job.rule.get("unfinished"):
        sentences.append(
            f"{_many(len(unfinished), 'erasure')} had not ended by then, so threads of "
            f"{'them' if len(unfinished) != 1 else 'it'} may still be at OpenAI. Order again: "
            f"{'; '.join(_again(job.rule, each) for each in unfinished)}."
        )
    if job.error:
        sentences.append(f"It stopped early: {job.error}.")
    if others := job.traces.get("others"):
        sentences.append(
            f"{_many(others, 'row')} of the customer's list had no customer or no id, and were not erased."
        )
    if again := job.traces.get("listed"):
        sentences.append(
            f"{_many(again, 'thread')} that the API called gone {'were' if again != 1 else 'was'} still in its list "
            "of the customer's threads at the final check."
        )
    if job.traces.get("lost"):
        sentences.append("The API had more rows in the customer's list, which could not be read.")
    return sentences


def traces(job: Erasure) -> list[str]:
    """What was removed from this database and its exports, in sentences; empty before that is known."""
    sentences = []
    archive, files = job.traces.get("archive"), job.traces.get("files")
    if job.finished_at and not job.targets.filter(state__in=Target.CLEAN).exists():
        sentences.append("Nothing was removed, since none of the threads is known to be gone.")
    elif job.finished_at and not (archive and archive["threads"]):
        sentences.append("There was no copy of them.")
    elif archive:
        sentences.append(
            f"{_many(archive['threads'], 'thread')} and {_many(archive['items'], 'item')}; and "
            f"what no other thread has: {_many(archive['words'], 'word')}, {_many(archive['people'], 'customer')} and "
            f"{_many(archive['reasons'], 'reason')}."
        )
    if job.traces.get("exports"):
        sentences.append(f"Stored exports removed: {job.traces['exports']:,}.")
    if files and files["rewritten"]:
        sentences.append("The database files were rewritten, without what was erased.")
    elif files:
        sentences.append(
            f"The database files were not rewritten ({files['why']}), so bytes of what was erased may be left in them. "
            "manage.py scrub rewrites them."
        )
    return sentences


def as_json(job: Erasure) -> dict[str, Any]:
    """The whole receipt, for JSON. Times are in UTC."""
    return {
        "erasure": str(job.pk),
        "kind": job.kind,
        "user": job.user or None,
        "asked_by": job.account,
        "asked_from": job.address or None,
        "request_id": job.request_id or None,
        "asked_at": job.requested_at,
        "began_at": job.started_at,
        "ended_at": job.finished_at,
        "ended": job.finished_at is not None,
        "rule": job.rule or None,
        "confirmed_by": job.confirmed_by or None,
        "confirmed_at": job.confirmed_at,
        "totals": {"threads": sum(counts(job).values()), **counts(job)},
        "last_look": {"at": job.looked_at, "found_nothing_new": job.looked_at is not None, "looks": job.looks}
        if job.kind == Erasure.Kind.USER
        else None,
        "remarks": [*remarks(job), *filter(None, [last_look(job)])],
        "local_traces": job.traces,
        "threads": [
            {
                "id": target.thread_id,
                "user": target.user_id or None,
                "created_at": target.created_at,
                "outcome": target.state,
                "reason": target.reason or None,
                "at": target.at,
                "upstream_request_id": target.upstream_request_id or None,
                "attempts": target.attempts,
            }
            for target in chunked(job.targets.all(), 1000)
        ],
    }


def masked(found: dict[str, Any]) -> dict[str, Any]:
    """A receipt of `as_json`, for an account that may not see whole user ids."""
    threads = [
        each
        | {
            "user": each["user"] and masking.mask_id(each["user"]),
            "reason": each["reason"] and masking.text(each["reason"], [each["user"] or ""]),
        }
        for each in found["threads"]
    ]
    user, known = found["user"] and masking.mask_id(found["user"]), user_ids_in(found["rule"])
    more = {name: masking.deep(found[name], known) for name in ("rule", "remarks")}
    return found | more | {"user": user, "threads": threads}


def user_ids_in(rule: dict[str, Any] | None) -> list[str]:
    """The user ids in a rule, as they are and as the remarks show them."""
    found = rule or {}
    users = [unquote(each) for each in (*found.get("users", {}).values(), found.get("user", ""))]
    return [*users, *map(_shown, users)]


def _shown(user: str) -> str:
    return user.replace("\0", "\N{SYMBOL FOR NULL}")


def _again(rule: dict[str, Any], erasure: str) -> str:
    """The description of an erasure to order again: by its user, where the user has archived threads."""
    user = unquote(rule.get("users", {}).get(erasure, ""))
    if not user:
        return f"what erasure {erasure} was of"
    return f"all threads of {_shown(user) if user.strip() else 'a user whose id is blank'} (erasure {erasure})"


def _many(number: int, name: str) -> str:
    return f"{number:,} {name}{'s' if number != 1 else ''}"
