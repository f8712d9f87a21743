"""A double of the Gemini Developer API, spoken over real HTTP to the real SDK.

`GeminiDouble` serves; `Settings` says how; `Fault` makes it misbehave; `Ledger` and `Record` tell
what was asked, answered and billed.
"""

from .faults import ACTIONS, Fault
from .ledger import Ledger, Record
from .models import PRICES, Price
from .server import GeminiDouble
from .settings import TEST_KEY, TEST_PROJECT, Settings

__all__ = [
    "ACTIONS",
    "PRICES",
    "TEST_KEY",
    "TEST_PROJECT",
    "Fault",
    "GeminiDouble",
    "Ledger",
    "Price",
    "Record",
    "Settings",
]
