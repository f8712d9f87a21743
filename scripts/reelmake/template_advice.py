"""What is odd about a template that does load: asked for and never shown, or never asked for."""

from collections.abc import Iterator, Sequence

from jinja2 import nodes

from reelmake.local.engine import PARTS
from reelmake.report import layout_tree
from reelmake.templates import Template


def describe(template: Template) -> str:
    """What the template asks for, for its author to compare with what they meant."""
    own = template.own_fields
    offline = [part for part in [*template.uses, *own] if part not in PARTS]
    prompt = template.render_prompt(language=template.language, duration_s=3600, parameters={})
    parameters = [f"{name} = {it.default!r}" for name, it in template.parameters.items()]
    lines = [
        f"template {template.name!r}, in {template.folder}: {template.description}",
        f"  language: {template.language}",
        f"  common parts: {_listed(template.uses)}",
        f"  fields of its own: {_listed(own)}",
        f"  parameters: {_listed(parameters)}",
        f"  not given by the offline engine: {_listed(offline)}",
        f"  prompt for a video of an hour: {len(prompt.split())} words",
    ]
    return "\n".join(lines)


def advice(template: Template) -> list[str]:
    """What may be a mistake, each in one sentence; empty when everything fits together."""
    return [*_unshown(template), *_unused(template)]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _unshown(template: Template) -> Iterator[str]:
    tree = layout_tree(template)
    names = {node.name for node in tree.find_all(nodes.Name)}
    attributes = {
        node.attr
        for node in tree.find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "fields"
    }
    for part in template.uses:
        if part != "title" and part not in names:
            yield f"report.md.j2 never shows {part}, which `uses:` in template.yaml asks for"
    if "fields" in names and not attributes:
        return  # it goes through all of them
    for field in template.own_fields:
        if field not in attributes:
            yield f"report.md.j2 never shows fields.{field}, which fields.schema.yaml asks for"


def _unused(template: Template) -> Iterator[str]:
    prompt = "\n".join(template.prompt_sources)
    for name in template.parameters:
        if f"parameters.{name}" not in prompt:
            yield f"prompt.md.j2 never uses the parameter {name}"
