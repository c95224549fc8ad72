"""Answers as the ChatKit threads API does, for the demo, the tests and the benchmarks.

It shares no code with the client, so that each checks the other.
"""

from threads.emulator.adapter import EmulatorAdapter
from threads.emulator.emulator import Emulator
from threads.emulator.faults import Fault
from threads.emulator.paging import BeforeReading, HasMoreReading
from threads.emulator.replies import Reply
from threads.emulator.server import EmulatorServer

__all__ = [
    "BeforeReading",
    "Emulator",
    "EmulatorAdapter",
    "EmulatorServer",
    "Fault",
    "HasMoreReading",
    "Reply",
]
