"""The emulator mounted in a requests session."""

from collections.abc import Iterator

import pytest
import requests

from tests.support.calls import HEADERS, NOW
from threads.emulator import Emulator, EmulatorAdapter, Fault

URL = "http://emulator/v1/chatkit/threads"


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(60, now=NOW)


@pytest.fixture
def session(emulator: Emulator) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update(HEADERS)
        session.mount("http://emulator/", EmulatorAdapter(emulator))
        yield session


def test_it_answers_as_the_api(emulator: Emulator, session: requests.Session) -> None:
    response = session.get(URL, params=[("limit", "3"), ("user", "ACME Corp/ops team 100% #7")])
    assert response.status_code == 200
    assert response.json()["object"] == "list"
    assert response.headers["X-Request-Id"].startswith("req_")
    assert response.elapsed.total_seconds() > 0
    assert emulator.calls[-1][2] == "limit=3&user=ACME+Corp%2Fops+team+100%25+%237"


def test_a_body_can_be_streamed(session: requests.Session) -> None:
    whole = session.get(URL).content
    response = session.get(URL, stream=True)
    pieces = []
    while piece := response.raw.read1(100, decode_content=True):
        assert len(piece) <= 100
        pieces.append(piece)
    assert b"".join(pieces) == whole
    assert b"".join(session.get(URL, stream=True).iter_content(77)) == whole


def test_a_bomb_inflates_piece_by_piece(emulator: Emulator, session: requests.Session) -> None:
    emulator.fault = Fault.GZIP_BOMB
    with session.get(URL, stream=True) as response:
        packed = int(response.headers["content-length"])
        pieces = response.iter_content(65_536)
        assert sum(len(next(pieces)) for _ in range(20)) > 2 * packed


def test_delete(emulator: Emulator, session: requests.Session) -> None:
    one = next(emulator.thread_ids())
    assert session.delete(f"{URL}/{one}").json()["deleted"]
    assert session.get(f"{URL}/{one}").status_code == 404


def test_a_redirect_can_be_refused(emulator: Emulator, session: requests.Session) -> None:
    emulator.fault = Fault.REDIRECT
    response = session.get(URL, allow_redirects=False)
    assert response.is_redirect
    assert response.headers["location"] == "http://127.0.0.2:9/"


def test_refuse_is_a_connection_error(emulator: Emulator, session: requests.Session) -> None:
    emulator.fault = Fault.REFUSE
    with pytest.raises(requests.ConnectionError):
        session.get(URL)


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.DRIP_HEADERS])
@pytest.mark.parametrize("timeout", [0.05, (3, 0.05)])
def test_hanging_is_a_read_timeout(
    emulator: Emulator, session: requests.Session, fault: Fault, timeout: float | tuple[float, float]
) -> None:
    emulator.fault = fault
    with pytest.raises(requests.exceptions.ReadTimeout):
        session.get(URL, timeout=timeout)


def test_drip_drips(emulator: Emulator, session: requests.Session) -> None:
    emulator.fault = Fault.DRIP
    with session.get(URL, stream=True) as response:
        assert [response.raw.read1(100) for _ in range(2)] == [b" ", b" "]


def test_cut_short_is_noticed(emulator: Emulator, session: requests.Session) -> None:
    emulator.fault = Fault.CUT_SHORT
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        session.get(URL)


def test_latency_is_slept(emulator: Emulator, session: requests.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("threads.emulator.serving.adapter.time.sleep", slept.append)
    emulator.latency_ms = 250
    session.get(URL)
    assert slept == [0.25]
