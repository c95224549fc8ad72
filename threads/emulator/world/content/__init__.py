"""Text templates for the emulated conversations."""

from .airline import AIRLINE
from .bank import BANK
from .hosting import HOSTING
from .languages import LANGUAGES
from .saas import SAAS
from .shop import SHOP
from .topic import Opening, Topic

# A product listed twice gets twice the threads. Each language is a product of its own.
PRODUCTS: tuple[tuple[Topic, ...], ...] = (SHOP, SHOP, BANK, BANK, AIRLINE, SAAS, SAAS, HOSTING)
TONGUES: tuple[tuple[Topic, ...], ...] = tuple((topic,) for topic in LANGUAGES)

__all__ = ["PRODUCTS", "TONGUES", "Opening", "Topic"]
