"""Columns named like a parameter of the row's template: that parameter, for this row alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from reelmake.template_files import Parameter, Value


@dataclass(frozen=True)
class RowParameters:
    """What a row's further columns come to for one template."""

    given: dict[str, Value]
    rest: dict[str, str]
    """Columns that are no parameters: they go into the report's front matter."""
    problems: list[str]


def row_parameters(cells: Mapping[str, str], known: Mapping[str, Parameter]) -> RowParameters:
    """Sort the cells. ``Focus areas`` is ``focus_areas``; empty means as in the configuration."""
    given: dict[str, Value] = {}
    rest, problems = {}, []
    for column, cell in cells.items():
        name = column.strip().casefold().replace(" ", "_")
        parameter = known.get(name)
        if parameter is None:
            rest[column] = cell
        elif cell.strip():
            value = parameter.meant(cell.strip())
            problem = parameter.problem_of(value)
            if problem:
                problems.append(f"{column}: {problem}")
            else:
                given[name] = value
    return RowParameters(given, rest, problems)
