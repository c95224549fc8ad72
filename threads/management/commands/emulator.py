"""`manage.py emulator`: serves an emulated ChatKit API, to try Threadkeeper without a key or real threads."""

import socket
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError

from threads.emulator import BeforeReading, Emulator, EmulatorServer, Fault, HasMoreReading

Choice = TypeVar("Choice", bound=Enum)


def _choice(kind: type[Choice]) -> Callable[[str], Choice]:
    """An argparse type for an enum's values; its error lists them."""

    def read(text: str) -> Choice:
        try:
            return kind(text)
        except ValueError:
            known = ", ".join(str(member.value) for member in kind)
            raise ArgumentTypeError(f"{text!r} is none of: {known}") from None

    return read


def _number(low: float, high: float, kind: Callable[[str], float]) -> Callable[[str], float]:
    """An argparse type for a number from `low` to `high`."""

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            raise ArgumentTypeError(f"{text!r} is not a number") from None
        if not low <= value <= high:
            raise ArgumentTypeError(f"{text} is not from {low} to {high}")
        return value

    return read


class Command(BaseCommand):
    """Serves the emulator until Ctrl-C. Needs neither the settings nor the database."""

    help = "Serves an emulated ChatKit API with believable threads, for a demo or for tests."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the command's options."""
        whole = int
        parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
        parser.add_argument("--port", type=_number(0, 65535, whole), default=8100, help="0 takes any free port")
        parser.add_argument("--threads", type=_number(0, 10_000_000, whole), default=5000, help="how many threads")
        parser.add_argument("--seed", type=int, default=7, help="another seed, another world")
        parser.add_argument("--latency-ms", type=_number(0, 600_000, float), default=0, help="wait before each answer")
        parser.add_argument("--key", default=None, help="the only right API key; any key without it")
        parser.add_argument(
            "--before",
            type=_choice(BeforeReading),
            default=BeforeReading.ADJACENT,
            help="what `before` means: adjacent, first or older",
        )
        parser.add_argument(
            "--has-more",
            type=_choice(HasMoreReading),
            default=HasMoreReading.DIRECTION,
            help="what has_more says on a `before` page: direction or order",
        )
        parser.add_argument("--fault", type=_choice(Fault), default=None, help="fail every call in this way")
        parser.add_argument(
            "--arrive-every",
            type=_number(0.01, 86_400, float),
            default=None,
            metavar="SECONDS",
            help="a new thread begins every so often",
        )
        parser.add_argument(
            "--no-showcase", action="store_false", dest="showcase", help="leave the four special conversations out"
        )
        parser.add_argument("--quiet", action="store_true", help="say nothing")
        parser.add_argument("--now", type=float, default=None, help="the world's present, in Unix seconds")
        parser.add_argument(
            "--fd", type=_number(0, 2**20, whole), default=None, help="a listening socket to serve, by its number"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Serves until Ctrl-C."""
        emulator = Emulator(
            threads=options["threads"],
            seed=options["seed"],
            now=options["now"],
            latency_ms=options["latency_ms"],
            api_key=options["key"],
            before=options["before"],
            has_more=options["has_more"],
            fault=options["fault"],
            showcase=options["showcase"],
        )
        listening = None if options["fd"] is None else socket.socket(fileno=options["fd"])
        try:
            server = EmulatorServer(emulator, options["host"], options["port"], listening)
        except OSError as error:
            raise CommandError(f"Cannot listen at {options['host']}:{options['port']}: {error.strerror}") from error
        with server:
            if not options["quiet"]:
                self._introduce(server, options)
            try:
                self._pass_time(emulator, options["arrive_every"])
            except KeyboardInterrupt:
                self.stdout.write("\nStopped.")

    def _introduce(self, server: EmulatorServer, options: dict[str, Any]) -> None:
        key = options["key"] or "sk-anything"
        fault = options["fault"]
        self.stdout.write(f"The emulator answers at {server.base_url} with {options['threads']:,} threads.")
        if fault:
            self.stdout.write(f"Every call fails: {fault.value}.")
        self.stdout.write("Point Threadkeeper at it with:\n")
        self.stdout.write(f"    OPENAI_BASE_URL={server.base_url} OPENAI_API_KEY={key}\n")
        self.stdout.write("Ctrl-C stops it.")
        self.stdout.flush()

    def _pass_time(self, emulator: Emulator, arrive_every: float | None) -> None:
        while True:
            time.sleep(arrive_every or 3600)
            if arrive_every:
                emulator.arrive()
