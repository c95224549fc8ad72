"""Answers as the ChatKit threads API does, for the demo, the tests and the benchmarks.

It shares no code with the client, so that each checks the other.
"""

from .api.paging import BeforeReading, HasMoreReading
from .api.replies import Reply
from .emulator import Emulator
from .faults import Fault
from .serving.adapter import EmulatorAdapter
from .serving.server import EmulatorServer

__all__ = [
    "BeforeReading",
    "Emulator",
    "EmulatorAdapter",
    "EmulatorServer",
    "Fault",
    "HasMoreReading",
    "Reply",
]
