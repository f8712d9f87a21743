"""What our web pages share: their files, and a policy that lets nothing else run or load."""

import base64
import hashlib
import re
from functools import cache
from importlib import resources

import jinja2
from markupsafe import Markup, escape


def read_web_file(name: str) -> str:
    """The text of a file in ``web/``."""
    return resources.files(__package__).joinpath("web", name).read_text(encoding="utf-8")


def render_page(name: str, **values: object) -> str:
    """``web/<name>.html.j2`` with ``web/<name>.css`` and ``.js`` in it: one file, no network.

    Values are escaped unless they are ``Markup``. Only this style and this script are allowed by
    the page's Content-Security-Policy; pictures and videos only from where the page is,
    which `file:` says to browsers that don't count a file as its own origin.
    """
    style, script = f"\n{read_web_file('shared.css')}{read_web_file(f'{name}.css')}", _script(name)
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "img-src 'self' file:; media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )
    # Files of ours, not text from outside.
    ours = {"style": Markup(style), "script": Markup(script)}  # noqa: S704
    template = _environment().from_string(read_web_file(f"{name}.html.j2"))
    return template.render(values | ours, policy=policy) + "\n"


def render_part(name: str, **values: object) -> str:
    """``web/<name>.html.j2``, a part of a page; values are escaped unless they are ``Markup``."""
    return _environment().from_string(read_web_file(f"{name}.html.j2")).render(values)


def _script(name: str) -> str:
    return f"\n{read_web_file(f'{name}.js')}"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["code"] = _code
    return environment


def _code(text: str) -> Markup:
    """The text with what stands in backticks as code, as on a terminal and in the docs."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  escaped
