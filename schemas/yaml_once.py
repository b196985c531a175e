"""YAML in which a key stands once, read so that whatever is wrong with it is one kind of error."""

from __future__ import annotations

from typing import Any

import yaml


class EachOnce(yaml.SafeLoader):
    """YAML in which a key stands once: PyYAML lets the last one win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping. Raises MarkedYAMLError where a key stands twice."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for number, key in enumerate(keys):
            if key in keys[:number]:
                mark = node.value[number][0].start_mark
                raise yaml.MarkedYAMLError(problem=f"{key} stands twice", problem_mark=mark)
        return super().construct_mapping(node, deep)


def load(text: str) -> Any:
    """Return what a text holds. Raises YAMLError.

    PyYAML raises whatever its parts do (a day that is none, an odd tag, too great a depth).
    """
    try:
        return yaml.load(text, EachOnce)  # noqa: S506 - a safe loader, and stricter
    except yaml.YAMLError:
        raise
    except Exception as error:
        raise yaml.YAMLError(type(error).__name__) from error
