"""What the emulated conversations are about."""

from threads.emulator.content.airline import AIRLINE
from threads.emulator.content.bank import BANK
from threads.emulator.content.hosting import HOSTING
from threads.emulator.content.languages import LANGUAGES
from threads.emulator.content.saas import SAAS
from threads.emulator.content.shop import SHOP
from threads.emulator.content.topic import Opening, Topic

# A product that stands here twice has twice the customers. One language is a product of its own.
PRODUCTS: tuple[tuple[Topic, ...], ...] = (SHOP, SHOP, BANK, BANK, AIRLINE, SAAS, SAAS, HOSTING)
TONGUES: tuple[tuple[Topic, ...], ...] = tuple((topic,) for topic in LANGUAGES)

__all__ = ["PRODUCTS", "TONGUES", "Opening", "Topic"]
