import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from reelmake.markdown import (
    as_text,
    escape,
    escape_block,
    front_matter,
    href,
    image,
    layout_environment,
    link,
    obsidian_tag,
    plain,
    strong,
)

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# Text as a hostile or clumsy model writes it: mostly marks, some prose, some blanks.
MARKS = "\\`*_{}[]()#+-.!|~<>&$^=%:;@/\"' \n\t\r0123abzé中（。\u3000\u00a0\u202e\u2067\x00\x1b"
CLUMPS = ["---", "===", "```", "~~~", "![[", "]]", "&lt;", "&#42;", "<b>", "<!--", "<script>"]
CLUMPS += ["1.", "- ", "[^1]", "[a](b)", "%%", "$$", "#tag", "a:b"]
ADDRESSES = ["https://x.y/a_b", "http://", "www.a.b", "ftp://"]
PIECES = st.sampled_from([*MARKS, *CLUMPS, *ADDRESSES])
TEXTS = st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=40)

WORDS = TEXTS.filter(lambda text: plain(text) != "")


def inline(source: str) -> list[Token]:
    """The tokens of the only paragraph that the source is."""
    blocks = PARSER.parse(source)
    assert [token.type for token in blocks] == ["paragraph_open", "inline", "paragraph_close"]
    return blocks[1].children or []


@given(TEXTS)
def test_any_text_is_one_paragraph_of_just_this_text(text: str) -> None:
    shown = plain(text)
    if not shown:
        assert escape(text) == ""
        return
    tokens = inline(escape(text))
    assert {token.type for token in tokens} == {"text"}
    assert "".join(token.content for token in tokens) == shown


@pytest.mark.parametrize(
    ("frame", "path"),
    [
        ("a line\n{}", ["paragraph"]),
        ("{}\nanother line", ["paragraph"]),
        ("- {}", ["bullet_list", "list_item", "paragraph"]),
        ("> {}", ["blockquote", "paragraph"]),
        ("# {}", ["heading"]),
        ("[00:01](x) {}", ["paragraph"]),
        (
            "| a | b |\n|---|---|\n| {} | c |",
            ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"],
        ),
    ],
)
@given(text=WORDS)
def test_no_text_breaks_out_of_where_a_layout_puts_it(
    frame: str, path: list[str], text: str
) -> None:
    tokens = PARSER.parse(frame.format(escape(text)))
    opened = [token.type.removesuffix("_open") for token in tokens if token.nesting == 1]
    assert opened == path
    contents = ["".join(c.content for c in t.children or []) for t in tokens if t.type == "inline"]
    assert any(plain(text) in content for content in contents)


@given(WORDS)
def test_any_text_can_be_bold_and_be_a_link(text: str) -> None:
    tokens = inline(f"before {strong(text)} after [{escape(text)}](x)")
    marks = [token.type for token in tokens if token.type != "text"]
    assert marks == ["strong_open", "strong_close", "link_open", "link_close"]


@given(TEXTS)
def test_blocks_keep_their_paragraphs(text: str) -> None:
    blocks = PARSER.parse(escape_block(text))
    assert {token.type for token in blocks} <= {"paragraph_open", "inline", "paragraph_close"}
    shown = ["".join(c.content for c in b.children or []) for b in blocks if b.type == "inline"]
    assert plain(" ".join(shown)) == plain(text)


def test_paragraphs_are_parted_by_blank_lines_alone() -> None:
    assert escape_block("one\ntwo\r\n \r\nthree\n\n\n# four") == "one two\n\nthree\n\n\\# four"


@pytest.mark.parametrize(
    "text",
    [
        "Ordinary prose, with a dash - and a well-known one; 3.14 (about) 100 %!",
        "snake_case, x^2, C#, F#, AT&T, a < b > c, 5 <6, 2 * 3 = 6, ~5 minutes, a = b + c: ok?",
        "-5 degrees, +1, 2026 was 1.5 times, §1) and 1.2.3 and @home; it's “quoted” — yes…",
        "这是 Gradient Descent（梯度下降），由《论文》提出：1、2、3。“引用”——破折号……",
        "See https://example.org/a_b-c?d=e&f=g%20h#part and www.example.org/x.",
    ],
)
def test_prose_stays_as_readable_as_it_was(text: str) -> None:
    assert escape(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("![[secret]]", r"!\[\[secret\]\]"),  # embeds and links of Obsidian
        ("==bright==", r"\=\=bright\=\="),
        ("%%hidden%%", r"\%\%hidden\%\%"),
        ("$x$", r"\$x\$"),
        ("a #tag", r"a \#tag"),
        ("text ^block-id", r"text \^block-id"),
        ("^[inline note] and [^1]", r"\^\[inline note\] and \[^1\]"),
        ("---", r"\---"),
        ("obsidian://open?vault=x", r"obsidian\://open?vault=x"),
        ("<% tp.x %>", "&lt;% tp.x %>"),
        ("&nbsp;", "&amp;nbsp;"),
        ("1. first", r"1\. first"),
        ("a\u202eb\u2066\x00\ufeff c\x85d\u2028e", "ab c d e"),
        ("https://x.y/~me", r"https\://x.y/\~me"),  # GFM would link to …/\~me
        ("www.x.y/*a*", r"www\.x.y/\*a\*"),
    ],
)
def test_marks_that_the_parser_of_these_tests_does_not_know(text: str, expected: str) -> None:
    assert escape(text) == expected


def test_escaped_text_is_not_escaped_again() -> None:
    assert escape(escape("*a*")) == r"\*a\*"


NASTY = ["no", "NO", "y", "null", "~", "1e3", "1E3", "0o17", "0x1F", "1_000", ".inf", "=", "<<"]
NASTY += ["12:34", "1:02:03", "2026-01-01", "2026-11-24T17:59:03Z", "[[link]]", "{a: b}", "a: b"]
NASTY += ["!tag", "&anchor", "*alias", "%x", "@x", "`x`", "# no", "a # b", "---", "...", "'", '"']
NASTY += ["\\", ":", "中文：标题", "🎓"]
NASTY += ["- a", "? a", " a ", "", "\n", "two\nlines\n---\n", "\x00\x1b\x85\u2028\ufeff"]


@pytest.mark.parametrize("text", NASTY)
def test_front_matter_brings_back_nasty_text(text: str) -> None:
    block = front_matter({"title": text, "tags": [text, text], text or "empty": 1})
    assert block.startswith("---\n")
    assert block.endswith("\n---\n")
    assert block.count("\n---\n") == 1
    expected = {"title": text, "tags": [text, text], text or "empty": 1}
    assert yaml.safe_load(block[4:-4]) == expected


@given(st.dictionaries(st.text(min_size=1), st.text() | st.none() | st.integers() | st.booleans()))
def test_front_matter_brings_back_anything(values: dict[str, object]) -> None:
    block = front_matter(values)
    assert yaml.safe_load(block[4:-4]) == values
    assert list(yaml.safe_load(block[4:-4])) == list(values)


# What the core schema of YAML 1.2, which Obsidian reads, takes for something else than text.
CORE = re.compile(
    r"null|Null|NULL|~|true|True|TRUE|false|False|FALSE|[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)


@given(st.sampled_from(NASTY) | st.from_regex(CORE, fullmatch=True) | st.text(max_size=8))
def test_what_stands_unquoted_is_text_in_yaml_1_2_too(text: str) -> None:
    value = front_matter({"a": text}).removeprefix("---\na: ").removesuffix("\n---\n")
    assert value.startswith('"') or (value == text and not CORE.fullmatch(value))


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("a b.mp4", "a%20b.mp4"),
        ("../v/讲 (1)#2?.mp4", "../v/%E8%AE%B2%20%281%29%232%3F.mp4"),
        ("100%.mp4", "100%25.mp4"),
        ("./a:b.mp4", "./a%3Ab.mp4"),
        ("https://x.y/a b?c=d&e=f", "https://x.y/a%20b?c=d&e=f"),
        ("https://x.y/a%20b", "https://x.y/a%20b"),
        ("https://x.y/a)(b", "https://x.y/a%29%28b"),
        ("https://x.y/?a&copy;=1", "https://x.y/?a&copy%3B=1"),
        ("HTTP://x.y", "HTTP://x.y"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("file:///etc/passwd", None),
        ("/etc/passwd", None),
        ("//host/x", None),
        ("\\\\host\\x", None),
        ("https://", None),
        ("http://[", None),
        ("", None),
    ],
)
def test_link_targets(target: str, expected: str | None) -> None:
    assert href(target) == expected
    assert link("[a]", target) == (f"[\\[a\\]]({expected})" if expected else r"\[a\]")


@given(TEXTS, TEXTS)
def test_no_target_breaks_out_of_a_link(text: str, target: str) -> None:
    if href(target) is None or not plain(text):
        return
    tokens = inline(link(text, target))
    assert [t.type for t in tokens if t.type != "text"] == ["link_open", "link_close"]


def test_pictures_are_local() -> None:
    assert image("a|b", "x y.jpg") == "![a/b](x%20y.jpg)"
    assert image("a", "https://tracker.example/x.gif") == "a"


@pytest.mark.parametrize(
    ("text", "tag"),
    [("#Physics 101!", "Physics-101"), ("课程/第一 章", "课程/第一-章"), ("a_b", "a_b"), ("#", "")],
)
def test_obsidian_tags(text: str, tag: str) -> None:
    assert obsidian_tag(text) == tag


def test_layouts_escape_whatever_they_print() -> None:
    environment = layout_environment([])
    source = "{% macro m(x) %}**{{ x }}**{% endmacro %}{{ m(x) }} {{ x }} {{ y }}{{ 3 }}"
    assert environment.from_string(source).render(x="*", y=None) == r"**\*** \* 3"
    environment.globals["bold"] = lambda: Markup("**b**")
    assert environment.from_string("{{ bold() }}").render() == "**b**"


@pytest.mark.parametrize(
    "expression", ["m() ~ x", "m() + x", "[m(), x] | join", "'%s' | format(x)"]
)
def test_text_stays_text_when_it_is_joined_with_markdown(expression: str) -> None:
    source = "{% macro m() %}**{% endmacro %}{{ " + expression + " }}"
    rendered = layout_environment([]).from_string(source).render(as_text({"x": "<b>*x*"}))
    assert rendered.removeprefix("**") == r"&lt;b>\*x\*"


@pytest.mark.parametrize("name", ["safe", "e", "escape", "urlize"])
def test_layouts_have_no_way_around_it(name: str) -> None:
    with pytest.raises(Exception, match="No filter named"):
        layout_environment([]).from_string("{{ x | " + name + " }}")
