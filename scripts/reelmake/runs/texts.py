"""Numbers and names as they are shown on a terminal."""

from reelmake.translation import Say


def shown(text: str) -> str:
    """One line, and nothing that could steer a terminal: names and messages come from outside."""
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()


def usd(amount: float, say: Say) -> str:
    """As many digits as small sums need."""
    return say("USD {amount}", amount=f"{amount:.4f}" if amount < 1 else f"{amount:.2f}")
