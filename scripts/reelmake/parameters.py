"""The configuration's `parameters`: whether the templates take them."""

from collections.abc import Mapping

from reelmake.errors import ReelmakeError
from reelmake.template_files import Value
from reelmake.templates import available_templates, load_template, template_folders
from reelmake.untrusted import printable


def check_parameters(given: Mapping[str, Mapping[str, Value]]) -> None:
    """Tell, before a run, of all that no template takes. ``given`` is by template.

    Raises ReelmakeError ``config_invalid``.
    """
    known = available_templates(template_folders())
    problems = []
    for name, values in given.items():
        if name in known:
            found = load_template(name).problems_of(values)
            problems += [f"{name}.{key}: {problem}" for key, problem in found.items()]
        else:
            problems.append(f"{name}: there is no such template; there are {', '.join(known)}")
    if problems:
        lines = [f"  parameters.{printable(problem)}" for problem in problems]
        message = "\n".join(["The configuration can't be used:", *lines])
        raise ReelmakeError("config_invalid", message)
