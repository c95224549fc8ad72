"""A query, its address, and back."""

from dataclasses import replace

from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from threads.sources import query_forms
from threads.sources.query import ThreadQuery

users = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
ids = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(
    lambda text: text.strip() != ""
)
cursors: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just(dict[str, str]()),
    ids.map(lambda value: {"after": value}),
    ids.map(lambda value: {"before": value}),
    st.tuples(ids, ids).map(lambda pair: {"after": pair[0], "since": pair[1]}),
)
queries = st.builds(
    lambda user, q, sort, limit, cursor: ThreadQuery(user=user, q=q, limit=limit, **sort, **cursor),
    st.none() | users,
    st.none() | users.filter(lambda text: text.strip() != "" and "\0" not in text),
    st.sampled_from([{}, {"order": "asc"}, {"sort": "latest"}, {"sort": "latest", "order": "asc"}]),
    st.integers(0, 100),
    cursors,
)


@given(queries)
def test_an_address_brings_back_the_very_query(query: ThreadQuery) -> None:
    read, errors = query_forms.parse_thread_query(QueryDict(query.encoded()).dict(), masked=False)
    assert read == query, errors


@given(st.dictionaries(st.sampled_from(["user", "order", "limit", "after", "before", "since", "x"]), st.text()))
def test_any_parameters_are_a_query_or_an_error_in_words(parameters: dict[str, str]) -> None:
    query, errors = query_forms.parse_thread_query(parameters, masked=False)
    if query is None:
        assert all(str(message).endswith(".") for messages in errors.values() for message in messages)
    else:
        query.encoded()


def test_the_plain_list_has_the_plain_address() -> None:
    assert ThreadQuery().encoded() == ""
    assert (
        query_forms.parse_thread_query({"user": "", "order": "", "limit": "", "after": ""}, masked=False)[0]
        == ThreadQuery()
    )


def test_another_user_starts_from_the_first_page() -> None:
    query = ThreadQuery(user="a", order="asc", limit=50, after="x", since="y")
    assert query.of("b") == ThreadQuery(user="b", order="asc", limit=50)
    assert query.first() == ThreadQuery(user="a", order="asc", limit=50)


@given(queries.filter(lambda query: query.q is not None))
def test_a_search_by_creation_has_an_address_of_its_own(query: ThreadQuery) -> None:
    newest = replace(query, sort="created", order="desc")
    assert query_forms.parse_thread_query(QueryDict(newest.encoded()).dict(), masked=False)[0] == newest
    assert newest.encoded() != replace(query, sort=None, order="desc").encoded()
