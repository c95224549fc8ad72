"""What the official client can do with the API, it can do with the emulator."""

from collections.abc import Iterable
from typing import Literal

import openai
import pytest
from openai.resources.beta.chatkit.threads import Threads

from tests.contract.conftest import MakeThreads
from threads.emulator import Emulator, Fault
from threads.emulator.world.usernames import AWKWARD_USERNAMES

Order = Literal["asc", "desc"]
ORDERS: tuple[Order, ...] = ("asc", "desc")


def ids(rows: Iterable[object]) -> list[str]:
    """The ids of threads or items, through all pages when `rows` is a page of the client's."""
    return [row.id for row in rows]  # type: ignore[attr-defined]


def test_the_first_page(emulator: Emulator, threads: Threads) -> None:
    page = threads.list()
    assert ids(page.data) == list(emulator.thread_ids())[:20]
    assert page.has_more
    assert page.last_id == page.data[-1].id
    assert page.data[0].status.type == "active"


@pytest.mark.parametrize("order", ORDERS)
def test_all_threads_page_after_page(emulator: Emulator, threads: Threads, order: Order) -> None:
    assert ids(threads.list(limit=37, order=order)) == list(emulator.thread_ids(order))
    assert len(emulator.calls) == 12


@pytest.mark.parametrize("user", AWKWARD_USERNAMES.values())
@pytest.mark.parametrize("order", ORDERS)
def test_all_threads_of_a_user(emulator: Emulator, threads: Threads, user: str, order: Order) -> None:
    rows = list(threads.list(limit=4, order=order, user=user))
    assert ids(rows) == list(emulator.thread_ids(order, user))
    assert {row.user for row in rows} == {user}
    assert len(rows) > 4


def test_threads_that_arrive_while_paging_disturb_nothing(emulator: Emulator, threads: Threads) -> None:
    before = list(emulator.thread_ids())
    seen = []
    for thread in threads.list(limit=50):
        seen.append(thread.id)
        if len(seen) % 50 == 7:
            emulator.arrive(3)
    assert seen == before


def test_before_is_the_page_next_door(threads: Threads) -> None:
    first = threads.list(limit=5)
    second = threads.list(limit=5, after=first.data[-1].id)
    assert threads.list(limit=5, before=second.data[0].id).data == first.data


def test_every_state_arrives_as_it_is_typed(emulator: Emulator, threads: Threads) -> None:
    seen = {}
    for thread in threads.list(limit=100):
        status = thread.status
        seen[status.type] = None if status.type == "active" else status.reason
    assert set(seen) == {"active", "locked", "closed"}
    one = next(emulator.thread_ids())
    emulator.set_status(one, "locked", "Customer asked for a human agent")
    status = threads.retrieve(one).status
    assert status.type == "locked"
    assert status.reason == "Customer asked for a human agent"


def test_one_thread(threads: Threads) -> None:
    for thread in threads.list().data:
        assert threads.retrieve(thread.id) == thread


@pytest.mark.parametrize("order", ORDERS)
def test_all_items(emulator: Emulator, threads: Threads, order: Order) -> None:
    types: set[str] = set()
    for thread_id in list(emulator.thread_ids())[:35]:
        items = list(threads.list_items(thread_id, limit=5, order=order))
        times = [item.created_at for item in items]
        assert times == sorted(times, reverse=order == "desc")
        assert {item.thread_id for item in items} == {thread_id}
        other = threads.list_items(thread_id, limit=100, order="asc" if order == "desc" else "desc")
        assert ids(other.data) == ids(items)[::-1]
        types.update(item.type.removeprefix("chatkit.") for item in items)
    assert types == {"user_message", "assistant_message", "widget", "client_tool_call", "task", "task_group"}


def test_delete_then_not_found(emulator: Emulator, threads: Threads) -> None:
    one = next(emulator.thread_ids())
    deleted = threads.delete(one)
    assert (deleted.id, deleted.deleted, deleted.object) == (one, True, "chatkit.thread.deleted")
    for again in (threads.retrieve, threads.delete, threads.list_items):
        with pytest.raises(openai.NotFoundError):
            again(one)
    with pytest.raises(openai.NotFoundError) as lost:
        threads.list(after=one)
    assert lost.value.param == "after"


def test_wrong_keys(make_threads: MakeThreads) -> None:
    with pytest.raises(openai.AuthenticationError, match="Incorrect API key provided") as wrong:
        make_threads(api_key="sk-wrong-key").list()
    assert wrong.value.code == "invalid_api_key"
    with pytest.raises(openai.AuthenticationError, match="Missing scopes: "):
        make_threads(api_key="sk-scopes-are-few").list()


def test_a_missing_beta_header(threads: Threads) -> None:
    with pytest.raises(openai.BadRequestError, match="You must provide the 'OpenAI-Beta' header"):
        threads.list(extra_headers={"OpenAI-Beta": ""})


def test_wrong_parameters(threads: Threads) -> None:
    with pytest.raises(openai.BadRequestError, match="integer above maximum value") as wrong:
        threads.list(limit=101)
    assert (wrong.value.param, wrong.value.code) == ("limit", "integer_above_max_value")
    with pytest.raises(openai.BadRequestError, match="empty string"):
        threads.list(user="")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.WRONG_KEY, openai.AuthenticationError),
        (Fault.GONE_404, openai.NotFoundError),
        (Fault.GONE_410, openai.APIStatusError),
        (Fault.RATE_LIMIT_86400, openai.RateLimitError),
        (Fault.ERROR_500, openai.InternalServerError),
        (Fault.ERROR_503, openai.InternalServerError),
    ],
)
def test_faults_are_the_clients_errors(
    emulator: Emulator, threads: Threads, fault: Fault, kind: type[openai.APIStatusError]
) -> None:
    emulator.fault = fault
    with pytest.raises(kind) as failed:
        threads.list()
    assert failed.value.request_id


@pytest.mark.parametrize("fault", [Fault.REFUSE, Fault.CUT_SHORT])
def test_lost_connections_are_the_clients_errors(emulator: Emulator, threads: Threads, fault: Fault) -> None:
    emulator.fault = fault
    with pytest.raises((openai.APIConnectionError, openai.APIError)):
        threads.list()


def test_a_hang_is_a_timeout(emulator: Emulator, make_threads: MakeThreads) -> None:
    emulator.fault = Fault.HANG
    with pytest.raises(openai.APITimeoutError):
        make_threads(timeout=0.3).list()


def test_one_retry_overcomes_a_fault_that_strikes_once(emulator: Emulator, make_threads: MakeThreads) -> None:
    emulator.fault = Fault.FLAKY_ONCE
    assert make_threads(max_retries=1).list().data
    assert len(emulator.calls) == 2
