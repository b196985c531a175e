"""What a new version of a schema breaks: every earlier version must still be read by it.

BACKWARD_TRANSITIVE of the Confluent registries, and what the tables ask beyond it: a column is never
taken away or given another type, and nothing grows within a list (`docs/decisions/0014`). A version
that was released is never changed: messages in topics are read by it (`released.yaml`). Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from schemas.dialect import Words

GONE: Final = Words(
    en="was taken away: what earlier versions say there would be lost",
    zh="被删除：旧版本在此的内容将丢失",
)
NEEDED: Final = Words(
    en='is new and not ["null", …] with default null: earlier versions do not have it',
    zh='为新增字段，但不是默认值为 null 的 ["null", …]：旧版本没有该字段',
)
IN_A_LIST: Final = Words(
    en="is new within a list, where no table can grow: make it a field of its own",
    zh="在列表内新增，数据表无法在列表内扩展：请改为单独字段",
)
NOT_EMPTY: Final = Words(
    en="may not be null any more: earlier versions left it out", zh="不再允许为空：旧版本可为空"
)
OTHER_TYPE: Final = Words(
    en="has another type: neither old messages nor old tables fit",
    zh="类型改变：旧消息和旧表均不适用",
)
SYMBOLS: Final = Words(en="lacks words that earlier versions may say", zh="缺少旧版本可使用的取值")
CHANGED: Final = Words(
    en="was changed after its release: put it back, and make the next version of it",
    zh="发布后被修改：请恢复原内容，并另立新版本",
)
MISSING: Final = Words(
    en="was released and is gone: messages in topics are read by it",
    zh="已发布却不存在：主题中的消息仍需用它读取",
)


class Break(NamedTuple):
    """What breaks: a dotted path in the schema (empty: all of it), and why."""

    path: str
    why: Words


def fingerprint(schema: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of a schema without its words (`doc`), which may be mended."""
    bare = json.dumps(_bare(schema), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(bare.encode()).hexdigest()


def breaks(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Break]:
    """Return what of an older version the newer one cannot take; none when it is additive."""
    return [*_record(old, new, "", in_list=False)]


def _record(
    old: Mapping[str, Any], new: Mapping[str, Any], path: str, *, in_list: bool
) -> Iterator[Break]:
    before, after = ({f["name"]: f for f in schema["fields"]} for schema in (old, new))
    for name in [*before, *(n for n in after if n not in before)]:
        at = f"{path}.{name}".lstrip(".")
        if name not in after:
            yield Break(at, GONE)
        elif name in before:
            yield from _type(before[name]["type"], after[name]["type"], at, in_list=in_list)
        elif in_list:
            yield Break(at, IN_A_LIST)
        elif not _nullable(after[name]["type"]) or after[name].get("default", 0) is not None:
            yield Break(at, NEEDED)


def _type(old: Any, new: Any, path: str, *, in_list: bool) -> Iterator[Break]:
    if _nullable(old) and not _nullable(new):
        yield Break(path, NOT_EMPTY)
    old, new = _not_null(old), _not_null(new)
    if _kind(old) != _kind(new):
        yield Break(path, OTHER_TYPE)
    elif _kind(old) == ("record",):
        yield from _record(old, new, path, in_list=in_list)
    elif _kind(old) == ("array",):
        yield from _type(old["items"], new["items"], path, in_list=True)
    elif _kind(old) == ("enum",) and set(old["symbols"]) - set(new["symbols"]):
        yield Break(path, SYMBOLS)


def _kind(node: Any) -> tuple[Any, ...]:
    """Return what two types must share to be one column's."""
    if not isinstance(node, dict):
        return (node,)
    if "logicalType" in node:
        return node["type"], node["logicalType"], node.get("precision"), node.get("scale")
    return (node["type"],)


def _nullable(node: Any) -> bool:
    return isinstance(node, list) and "null" in node


def _not_null(node: Any) -> Any:
    return next(part for part in node if part != "null") if isinstance(node, list) else node


def _bare(node: Any) -> Any:
    if isinstance(node, list):
        return [_bare(part) for part in node]
    if isinstance(node, Mapping):
        return {name: _bare(part) for name, part in node.items() if name != "doc"}
    return node
