"""Emulator of the ChatKit threads API, for the demo, the tests and the benchmarks.

`world/` computes the data, `api/` builds the replies, `serving/` makes them reachable over requests or a socket.
It shares no code with the client in `threads.chatkit`, so that each checks the other.
"""

from .api.paging import BeforeReading, HasMoreReading
from .api.replies import EmulatorReply
from .emulator import Emulator
from .faults import Fault
from .serving.adapter import EmulatorAdapter
from .serving.server import EmulatorServer

__all__ = [
    "BeforeReading",
    "Emulator",
    "EmulatorAdapter",
    "EmulatorReply",
    "EmulatorServer",
    "Fault",
    "HasMoreReading",
]
