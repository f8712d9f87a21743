"""Numbers and names as they are shown on a terminal."""


def shown(text: str) -> str:
    """One line, and nothing that could steer a terminal: names and messages come from outside."""
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()


def usd(amount: float) -> str:
    """As many digits as small sums need."""
    return f"USD {amount:.4f}" if amount < 1 else f"USD {amount:.2f}"


def count(number: int, noun: str) -> str:
    """``1 report``, ``1,200 reports``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
