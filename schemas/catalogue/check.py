"""What is wrong with a catalogue: what a clerk would otherwise find out in front of an enterprise.

Pure. `docs/catalogue.md` says what to do about each finding.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from schemas.avro import dataset_columns, dataset_enums, symbols
from schemas.catalogue.grammar import (
    SUBJECT,
    Bundle,
    Catalogue,
    Department,
    FieldEvidence,
    FormField,
    LicenceEvidence,
    Material,
    Matter,
    PromiseEvidence,
    columns_for_forms,
    origin,
)
from schemas.catalogue.supply import Known, source_faults
from schemas.dialect import Words
from schemas.identifiers import uscc

Kind = Literal[
    "dangling",
    "nobody_supplies",
    "no_right",
    "no_source",
    "no_deadline",
    "no_papers",
    "bad_code",
    "ambiguous",
]
_TYPE_CODE = 21


@dataclass(frozen=True)
class Finding:
    """One fault; `where`: part and id, as they stand in the files."""

    kind: Kind
    where: str
    says: Words


def broken(catalogue: Catalogue) -> list[Finding]:
    """Return the references that lead nowhere, whoever publishes: with any, nobody can be answered."""
    return [one for one in check(catalogue, None) if one.kind == "dangling"]


def check(catalogue: Catalogue, known: Known | None) -> list[Finding]:
    """Return every fault, in the order of the parts; without `known` none of the sources."""
    return [
        *_rules(catalogue),
        *(
            f
            for id_, one in catalogue.departments.items()
            for f in _department(catalogue, id_, one)
        ),
        *(f for id_ in catalogue.evidence for f in _evidence(catalogue, id_, known)),
        *(
            f
            for id_, one in catalogue.materials.items()
            for f in _material(catalogue, id_, one, known)
        ),
        *(f for id_, fields in catalogue.forms.items() for f in _form(catalogue, id_, fields)),
        *(f for code, one in catalogue.matters.items() for f in _matter(catalogue, code, one)),
        *(f for id_, one in catalogue.bundles.items() for f in _bundle(catalogue, id_, one)),
    ]


def _rules(catalogue: Catalogue) -> Iterator[Finding]:
    for id_, rule in catalogue.rules.items():
        if not rule.source.strip():
            yield Finding(
                "no_source",
                f"rules.{id_}",
                Words(en="The rule says not where its text was read.", zh="未注明规则文本的出处。"),
            )


def _department(catalogue: Catalogue, id_: str, department: Department) -> Iterator[Finding]:
    where = f"departments.{id_}"
    if not uscc.is_valid(department.code):
        yield _bad_code(where, department.code)
    for purpose, of in department.purposes.items():
        yield from _dangling(f"{where}.{purpose}", "evidence", of.may_use, catalogue.evidence)


def _evidence(catalogue: Catalogue, id_: str, known: Known | None) -> Iterator[Finding]:
    where, evidence = f"evidence.{id_}", catalogue.evidence[id_]
    yield from _dangling(where, "rule", [evidence.rule], catalogue.rules)
    if isinstance(evidence, PromiseEvidence):
        return
    for fault in source_faults(evidence, known) if known is not None else ():
        yield Finding("dangling", where, fault)
    if isinstance(evidence, FieldEvidence):
        columns = dataset_columns(evidence.family).names()
        yield from _dangling(where, "column", [*evidence.fields, *evidence.where], columns)
        # What a date makes of a state (expired) is nothing to rely on.
        words = dict(dataset_enums(evidence.family)) | {
            "state": symbols(evidence.family, "standing.state")
        }
        for column, of in evidence.where.items():
            yield from _dangling(where, column, of, words.get(column, of))
    if isinstance(evidence, LicenceEvidence):
        for code in evidence.type_codes:
            if len(code) != _TYPE_CODE or not uscc.is_valid(code[:18]):
                yield _bad_code(where, code)
        if not evidence.type_codes and not evidence.certificates:
            yield Finding(
                "nobody_supplies",
                where,
                Words(
                    en="Neither a type code nor a certificate's name: no licence can fit.",
                    zh="既无证照类型代码也无证照名称，无法匹配任何证照。",
                ),
            )


def _material(
    catalogue: Catalogue, id_: str, material: Material, known: Known | None
) -> Iterator[Finding]:
    where = f"materials.{id_}"
    yield from _dangling(where, "evidence", material.replaced_by, catalogue.evidence)
    if known is None or material.origin != "issued" or material.not_shared is not None:
        return
    offered = [catalogue.evidence.get(one) for one in material.replaced_by]
    shared = [one for one in offered if one is not None and not isinstance(one, PromiseEvidence)]
    if not any(not [*source_faults(one, known)] for one in shared):
        yield Finding(
            "nobody_supplies",
            where,
            Words(
                en="A department issues it, and no source gives it: name the evidence, or say "
                "under not_shared why there is none.",
                zh="政府部门核发的材料没有可用的数据来源：请指定证据，或在 not_shared 中说明原因。",
            ),
        )


def _form(catalogue: Catalogue, id_: str, fields: list[FormField]) -> Iterator[Finding]:
    where = f"forms.{id_}"
    for field in fields:
        if sum(one.id == field.id for one in fields) > 1:
            words = Words(en=f"The field {field.id} stands twice.", zh=f"字段 {field.id} 重复。")
            yield Finding("ambiguous", where, words)
        for reference in field.origins:
            name, column = origin(reference)
            evidence = catalogue.evidence.get(name)
            if reference == SUBJECT:
                continue
            if evidence is None:
                yield from _dangling(where, "evidence", [name or reference], ())
            elif column not in columns_for_forms(evidence):
                words = Words(
                    en=f"{name} gives a form no {column!r} (docs/catalogue.md, forms).",
                    zh=f"{name} 不向表单提供 {column!r}（见 docs/catalogue.zh-CN.md 表单一节）。",
                )
                yield Finding("dangling", where, words)


def _matter(catalogue: Catalogue, code: str, matter: Matter) -> Iterator[Finding]:
    where = f"matters.{code}"
    yield from _dangling(where, "rule", matter.basis, catalogue.rules)
    wanted = [use.material for use in matter.materials]
    yield from _dangling(where, "material", wanted, catalogue.materials)
    yield from _dangling(where, "department", [matter.department], catalogue.departments)
    department = catalogue.departments.get(matter.department)
    purposes = department.purposes if department is not None else {}
    if department is not None:
        yield from _dangling(where, "purpose", [matter.purpose], purposes)
    if matter.purpose in purposes:
        may_use = purposes[matter.purpose].may_use
        yield from _rights(catalogue, code, matter, may_use)
        yield from _empty_fields(catalogue, code, matter, may_use)
    if matter.form is not None:
        yield from _dangling(where, "form", [matter.form], catalogue.forms)
    if not matter.materials:
        words = Words(en="The matter asks for no paper.", zh="事项没有材料清单。")
        yield Finding("no_papers", where, words)
    if matter.follow_within is None and any(u.necessity == "may_follow" for u in matter.materials):
        yield Finding(
            "no_deadline",
            where,
            Words(
                en="A paper may follow, and follow_within does not say within how many days.",
                zh="有容缺后补材料，但未用 follow_within 规定补交期限。",
            ),
        )
    for use in matter.materials:
        material = catalogue.materials.get(use.material)
        if use.necessity == "on_promise" and material and not _promises(catalogue, material):
            yield Finding(
                "nobody_supplies",
                where,
                Words(
                    en=f"{use.material} may be promised, and no promise replaces it.",
                    zh=f"{use.material} 可告知承诺，但未指定承诺书。",
                ),
            )


def _promises(catalogue: Catalogue, material: Material) -> bool:
    found = (catalogue.evidence.get(one) for one in material.replaced_by)
    return any(isinstance(one, PromiseEvidence) for one in found)


def _rights(
    catalogue: Catalogue, code: str, matter: Matter, may_use: Collection[str]
) -> Iterator[Finding]:
    materials = [catalogue.materials.get(use.material) for use in matter.materials]
    wanted = [one for material in materials if material for one in material.replaced_by]
    for id_ in dict.fromkeys(wanted):
        evidence = catalogue.evidence.get(id_)
        shared = evidence is not None and not isinstance(evidence, PromiseEvidence)
        if shared and id_ not in may_use:
            purpose = f"{matter.department}.{matter.purpose}"
            yield Finding(
                "no_right",
                f"matters.{code}",
                Words(
                    en=f"{id_} is not among what {purpose} may use (departments.yaml).",
                    zh=f"{purpose} 的用途未获准使用 {id_}（见 departments.yaml）。",
                ),
            )


def _empty_fields(
    catalogue: Catalogue, code: str, matter: Matter, may_use: Collection[str]
) -> Iterator[Finding]:
    """Find fields that would stay empty, whoever asks: none of what they come from may be used."""
    for field in catalogue.forms.get(matter.form or "", []):
        wanted = {origin(one)[0] for one in field.origins if one != SUBJECT}
        if SUBJECT not in field.origins and not wanted & set(may_use):
            purpose, evidence = f"{matter.department}.{matter.purpose}", ", ".join(sorted(wanted))
            yield Finding(
                "no_right",
                f"matters.{code}",
                Words(
                    en=f"The form's field {field.id} stays empty: {purpose} may not use {evidence}.",
                    zh=f"表单字段 {field.id} 无法预填：{purpose} 的用途未获准使用 {evidence}。",
                ),
            )


def _bundle(catalogue: Catalogue, id_: str, bundle: Bundle) -> Iterator[Finding]:
    yield from _dangling(f"bundles.{id_}", "matter", bundle.matters, catalogue.matters)
    if id_ in catalogue.matters:
        words = Words(en="A matter has the same code.", zh="与某个事项编码相同。")
        yield Finding("ambiguous", f"bundles.{id_}", words)


def _dangling(
    where: str, part: str, ids: Collection[str], known: Collection[str]
) -> Iterator[Finding]:
    for id_ in dict.fromkeys(ids):
        if id_ not in known:
            words = Words(en=f"There is no {part} {id_!r}.", zh=f"不存在的 {part}：{id_!r}。")
            yield Finding("dangling", where, words)


def _bad_code(where: str, code: str) -> Finding:
    words = Words(en=f"{code!r} is no code of its kind.", zh=f"{code!r} 不是有效代码。")
    return Finding("bad_code", where, words)
