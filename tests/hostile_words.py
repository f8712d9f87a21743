"""Words that people and strangers may write, and what is asked of the message about them."""

import random

from reelmake.errors import ReelmakeError

AWKWARD = [
    "",
    " ",
    "'",
    '"',
    '""',
    "\n",
    "\r",
    "\t",
    "\0",
    "\x1b[2J\x1b]0;owned\x07",
    "-rf",
    "--help",
    "$(touch owned)",
    "`touch owned`",
    "{video}",
    "{{ 7 * 7 }}",
    "%s%n",
    "../../etc/passwd",
    "/etc/passwd",
    "~root",
    "~",
    "C:\\con",
    "CON",
    "nul.mp4",
    ".",
    "..",
    "a/../b.mp4",
    "*",
    "[a-",
    "**/**",
    "\u202e4pm.exe",
    "\ufeff",
    "\u2028",
    "e\u0301",
    "é",
    "名前",
    "😀",
    "#",
    "a,b;c|d",
    "=1+1",
    "x" * 255,
    "長" * 300,
    "9" * 400,
    "9" * 5000,
    "9" * 400 + ":00:00",
    "1e999",
    "nan",
    "-1",
    "0:00",
    "99:99:99",
    "true",
    "null",
    "://",
    "http://",
    "https://[",
    "https://a b",
    "https://youtu.be/" + "x" * 11,
    "<script>alert(1)</script>",
    "good.mp4",
    "a.mp4",
    "\U000e0001",
]


def text(chance: random.Random) -> str:
    return "".join(chance.choice(AWKWARD) for _ in range(chance.randint(1, 3)))


def told(error: ReelmakeError, place: str = "") -> None:
    """It names the place; a terminal can show it as it is; and it is no book."""
    assert place in error.message
    assert all(line.isprintable() for line in error.message.split("\n")), repr(error.message)
    assert len(error.message) < 10_000


# Each name stands for nine of the one before.
LAUGHS = "\n".join(
    [
        "a0: &a0 [x, x]",
        *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)),
    ]
)
