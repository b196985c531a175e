"""The shipped dialects, code lists and publishers' table say what departments mean."""

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from flows.publish.fields import Context
from flows.publish.mapping import Mapped, map_rows
from flows.publish.native import map_native
from flows.publish.recognise import NotRecognised, match, recognise
from schemas import contract
from schemas.avro import event_columns, facets, symbols
from schemas.dialect import (
    Code,
    Const,
    Dialect,
    EventMap,
    IfPresent,
    fold_name,
    has_document_number,
)
from schemas.identifiers import uscc
from schemas.publishers import Publisher

DIALECTS = contract.dialects()
CODES = contract.code_lists()
TABLE = contract.publishers().publishers
SUBJECT = "91990100MA0000015X"
HOUSING, CREDIT, SAMR = "11990100000000123K", "11990100000000131E", "11990100000000115Q"

LICENCE_2018 = {
    "XK_XDR_MC": "示范市瑞丰建筑工程有限公司",
    "XK_XDR_LB": "法人及非法人组织",
    "XK_XDR_SHXYM": SUBJECT,
    "XK_XDR_GSZC": "990100000000019",
    "XK_FRDB": "王伟",
    "XK_FR_ZJLX": "身份证",
    "XK_FR_ZJHM": "119999199001010012",
    "XK_XKWS": "安全生产许可决定书",
    "XK_WSH": "示建许〔2026〕12号",
    "XK_XKLB": "普通",
    "XK_XKZS": "安全生产许可证",
    "XK_XKBH": "（示）JZ安许证字〔2026〕000012",
    "XK_NR": "建筑施工",
    "XK_JDRQ": "2026/1/5",
    "XK_YXQZ": "2026年01月06日",
    "XK_YXQZI": "20290105",
    "XK_XKJG": "示范市住房和城乡建设局",
    "XK_XKJGDM": HOUSING,
    "XK_ZT": "1",
    "XK_LYDW": "示范市住房和城乡建设局",
    "XK_LYDWDM": HOUSING,
    "BZ": "",
}
PENALTY_2018 = {
    "CF_XDR_MC": "示范市瑞丰建筑工程有限公司",
    "CF_XDR_LB": "法人及非法人组织",
    "CF_XDR_SHXYM": SUBJECT,
    "CF_FRDB": "王伟",
    "CF_FR_ZJHM": "119999199001010012",
    "CF_WSH": "示城管罚决〔2026〕7号",
    "CF_WFXW": "施工现场扬尘污染",
    "CF_SY": "裸露土方未覆盖",
    "CF_YJ": "《中华人民共和国大气污染防治法》第一百一十五条",
    "CF_CFLB": "罚款；暂扣许可证件",
    "CF_NR": "罚款2000元，暂扣安全生产许可证三个月",
    "CF_NR_FK": "0.2",
    "CF_NR_WFFF": "0",
    "CF_NR_ZKDX": "安全生产许可证（（示）JZ安许证字〔2026〕000012）",
    "CF_JDRQ": "2026-03-01",
    "CF_YXQ": "2099/12/31",
    "CF_GSJZQ": "2029-03-01 00:00:00",
    "CF_CFJG": "示范市城市管理综合行政执法局",
    "CF_CFJGDM": CREDIT,
    "CF_SJLY": "示范市城市管理综合行政执法局",
    "CF_SJLYDM": "00000000000000000X",
    "BZ": "简易程序",
}
LICENCE_2016 = {
    "XK_WSH": "示建许〔2016〕3号",
    "XK_XMMC": "关于核发施工许可证的决定",
    "XK_SPLB": "3",
    "XK_NR": "厂房工程施工",
    "XK_XDR": "示范市瑞丰建筑工程有限公司",
    "XK_XDR_SHXYM": SUBJECT,
    "XK_XDR_ZDM": "MA0000015",
    "XK_XDR_SFZ": "119999199001010012",
    "XK_FR": "王伟",
    "XK_JDRQ": "2016-04-05",
    "XK_JZQ": "9999-12-31",
    "XK_XZJG": "示范市住房和城乡建设局",
    "XK_ZT": "1",
    "DFBM": "990100",
    "SJC": "2016-08-12 10:22:33",
    "BZ": "",
}
PENALTY_2016 = {
    "CF_WSH": "示城管罚〔2016〕9号",
    "CF_CFMC": "未取得施工许可证擅自施工",
    "CF_CFLB1": "1",
    "CF_SY": "未取得施工许可证擅自施工",
    "CF_YJ": "《建筑法》第六十四条",
    "CF_XDR_MC": "示范市瑞丰建筑工程有限公司",
    "CF_XDR_SHXYM": SUBJECT,
    "CF_FR": "王伟",
    "CF_JG": "罚款1万元",
    "CF_JDRQ": "2016.05.06",
    "CF_JZRQ": "2019-05-06",
    "CF_XZJG": "示范市城市管理综合行政执法局",
    "CF_ZT": "2",
    "DFBM": "990100",
    "SJC": "2016/8/12 10:22:33",
    "BZ": "",
}
REGISTRATION = {
    "统一社会信用代码": SUBJECT,
    "企业名称": "示范市瑞丰建筑工程有限公司",
    "市场主体类型": "有限责任公司",
    "注册号": "990100000000019",
    "法定代表人": "王伟",
    "住所": "示范市东湖区建设路1号",
    "经营范围": "房屋建筑工程施工",
    "登记机关": "示范市市场监督管理局",
    "登记机关代码": SAMR,
    "行业代码": "E4710",
    "行政区划代码": "990102",
    "注册资本（万元）": "1,234.567890",
    "成立日期": "2015-06-01",
    "营业期限自": "2015-06-01",
    "营业期限至": "长期",
    "登记状态": "吊销，未注销",
    "核准日期": "2024-02-29",
}
TAX_A = {
    "序号": "1",
    "纳税人识别号": SUBJECT,
    "纳税人名称": "示范市瑞丰建筑工程有限公司",
    "评价年度": "2018",
    "税务机关": "国家税务总局示范市税务局",
}
NMPA = {
    "businessLicenseNumber": SUBJECT,
    "epsName": "示范市瑞丰日化有限公司",
    "epsAddress": "示范市东湖区建设路1号",
    "epsProductAddress": "示范市高新区工业园一路2号",
    "warehouseAddress": "",
    "productSn": "示妆20260001",
    "certStr": "膏霜乳液单元（护发类）",
    "qfManagerName": "示范省药品监督管理局",
    "xkDate": "2031-01-05",
    "xkDateStr": "2026-01-06",
    "offDate": "2026-03-01",
    "offReason": "企业申请注销",
    "xkRemark": "",
    "legalPerson": "王伟",
}


def context(layout: str, publisher: str) -> Context:
    chosen = TABLE[publisher].layouts[layout].codes
    codes = {name: CODES[one].values for name, one in chosen.items()}
    return Context(DIALECTS[layout].no_end, codes)


def mapped(layout: str, publisher: str, *rows: Mapping[str, str | None]) -> Mapped:
    names = list(dict.fromkeys(name for row in rows for name in row))
    data = [{"__row": i, **row} for i, row in enumerate(rows, start=1)]
    schema = {"__row": pl.Int64, "__fault": pl.String, **dict.fromkeys(names, pl.String)}
    return map_rows(pl.DataFrame(data, schema=schema), DIALECTS[layout], context(layout, publisher))


def said(value: Any) -> Any:
    """What an event says: nothing of what is null or an empty list."""
    if isinstance(value, dict):
        return {k: said(v) for k, v in value.items() if v not in (None, []) and k != "__row"}
    return [said(item) for item in value] if isinstance(value, list) else value


def events(layout: str, publisher: str, row: Mapping[str, str | None]) -> list[dict[str, Any]]:
    made = mapped(layout, publisher, row)
    assert made.faults.to_dicts() == []
    return [said(event) for event in made.events.to_dicts()]


def why(layout: str, publisher: str, row: Mapping[str, str | None]) -> tuple[str, str | None]:
    made = mapped(layout, publisher, row)
    assert made.events.is_empty()
    [fault] = made.faults.to_dicts()
    return fault["code"], fault["where"]


def china(year: int, month: int, day: int, hour: int = 0) -> dt.datetime:
    """Midnight in China of a day, as UTC."""
    return dt.datetime(year, month, day, hour, tzinfo=dt.UTC) - dt.timedelta(hours=8)


# What each layout says


def test_a_licence_of_the_2018_layout() -> None:
    shared = {
        "issuer": HOUSING,
        "issuer_name": "示范市住房和城乡建设局",
        "subject": SUBJECT,
        "record_key": f"{HOUSING}/示建许(2026)12号/{SUBJECT}",
        "void_ab_initio": "no",
    }
    assert events("cn-sgs-2018-licence", "housing-demo", LICENCE_2018) == [
        shared
        | {
            "event_type": "granted",
            "facet": "decision",
            "effective_from": dt.date(2026, 1, 6),
            "occurred_at": china(2026, 1, 5),
            "decision": {
                "number": "（示）JZ安许证字〔2026〕000012",
                "document_number": "示建许〔2026〕12号",
                "document_name": "安全生产许可决定书",
                "name": "安全生产许可证",
                "category": "普通",
                "subject_name": "示范市瑞丰建筑工程有限公司",
                "subject_category": "法人及非法人组织",
                "scope": "建筑施工",
                "valid_from": dt.date(2026, 1, 6),
                "valid_to": dt.date(2029, 1, 5),
                "term": "fixed",
                "identifier_check": "none",
                "data_source": "示范市住房和城乡建设局",
                "data_source_code": HOUSING,
            },
        },
        shared
        | {
            "event_type": "status_stated",
            "facet": "standing",
            "standing": {"state": "in_force"},
        },
    ]


def test_a_penalty_of_the_2018_layout() -> None:
    assert events("cn-sgs-2018-penalty", "credit-demo", PENALTY_2018) == [
        {
            "event_type": "penalised",
            "issuer": CREDIT,
            "issuer_name": "示范市城市管理综合行政执法局",
            "subject": SUBJECT,
            "record_key": f"{CREDIT}/示城管罚决(2026)7号/{SUBJECT}",
            "facet": "decision",
            "void_ab_initio": "no",
            "effective_from": dt.date(2026, 3, 1),
            "occurred_at": china(2026, 3, 1),
            "decision": {
                "kind": "penalty",
                "document_number": "示城管罚决〔2026〕7号",
                "subject_name": "示范市瑞丰建筑工程有限公司",
                "subject_category": "法人及非法人组织",
                "violation_type": "施工现场扬尘污染",
                "facts": "裸露土方未覆盖",
                "basis": "《中华人民共和国大气污染防治法》第一百一十五条",
                "categories": ["罚款", "暂扣许可证件"],
                "penalty_content": "罚款2000元，暂扣安全生产许可证三个月",
                "fine_yuan": Decimal("2000.00"),
                "confiscated_yuan": Decimal("0.00"),
                "licences_affected": "安全生产许可证（（示）JZ安许证字〔2026〕000012）",
                "publication_to": dt.date(2029, 3, 1),
                "data_source": "示范市城市管理综合行政执法局",
                "remarks": "简易程序",
            },
        }
    ]


def test_a_licence_of_the_2016_layout() -> None:
    shared = {
        "issuer": "示范市住房和城乡建设局",
        "issuer_name": "示范市住房和城乡建设局",
        "subject": SUBJECT,
        "record_key": f"示范市住房和城乡建设局/示建许(2016)3号/{SUBJECT}",
        "void_ab_initio": "no",
        "edition": dt.datetime(2016, 8, 12, 2, 22, 33, tzinfo=dt.UTC),
    }
    assert events("cn-sgs-2016-licence", "housing-demo", LICENCE_2016) == [
        shared
        | {
            "event_type": "granted",
            "facet": "decision",
            "effective_from": dt.date(2016, 4, 5),
            "occurred_at": china(2016, 4, 5),
            "decision": {
                "document_number": "示建许〔2016〕3号",
                "document_name": "关于核发施工许可证的决定",
                "category": "核准",
                "subject_name": "示范市瑞丰建筑工程有限公司",
                "scope": "厂房工程施工",
                "term": "open_ended",
                "identifier_check": "none",
            },
        },
        shared
        | {
            "event_type": "status_stated",
            "facet": "standing",
            "void_ab_initio": "yes",
            "standing": {"state": "annulled"},
        },
        shared
        | {
            "event_type": "objection_stated",
            "facet": "objection",
            "objection": {"state": "none"},
        },
    ]


def test_a_penalty_of_the_2016_layout() -> None:
    shared = {
        "issuer": "示范市城市管理综合行政执法局",
        "issuer_name": "示范市城市管理综合行政执法局",
        "subject": SUBJECT,
        "record_key": f"示范市城市管理综合行政执法局/示城管罚(2016)9号/{SUBJECT}",
        "void_ab_initio": "no",
        "edition": dt.datetime(2016, 8, 12, 2, 22, 33, tzinfo=dt.UTC),
    }
    assert events("cn-sgs-2016-penalty", "credit-demo", PENALTY_2016) == [
        shared
        | {
            "event_type": "penalised",
            "facet": "decision",
            "effective_from": dt.date(2016, 5, 6),
            "occurred_at": china(2016, 5, 6),
            "decision": {
                "kind": "penalty",
                "document_number": "示城管罚〔2016〕9号",
                "title": "未取得施工许可证擅自施工",
                "subject_name": "示范市瑞丰建筑工程有限公司",
                "facts": "未取得施工许可证擅自施工",
                "basis": "《建筑法》第六十四条",
                "categories": ["罚款"],
                "penalty_content": "罚款1万元",
                "valid_to": dt.date(2019, 5, 6),
            },
        },
        shared
        | {
            "event_type": "standing_stated",
            "facet": "standing",
            "standing": {"state": "in_force"},
        },
        shared
        | {
            "event_type": "objection_stated",
            "facet": "objection",
            "objection": {"state": "raised"},
        },
    ]


def test_an_entry_of_the_register() -> None:
    shared = {
        "issuer": SAMR,
        "issuer_name": "示范市市场监督管理局",
        "subject": SUBJECT,
        "record_key": f"{SAMR}/{SUBJECT}",
        "void_ab_initio": "no",
    }
    assert events("registration-list", "samr-demo", REGISTRATION) == [
        shared
        | {
            "event_type": "registered",
            "facet": "decision",
            "effective_from": dt.date(2024, 2, 29),
            "occurred_at": china(2024, 2, 29),
            "decision": {
                "name": "示范市瑞丰建筑工程有限公司",
                "entity_type": "有限责任公司",
                "registration_number": "990100000000019",
                "address": "示范市东湖区建设路1号",
                "business_scope": "房屋建筑工程施工",
                "registrar": "示范市市场监督管理局",
                "industry_code": "E4710",
                "area_code": "990102",
                "capital_yuan": Decimal("12345678.90"),
                "established_on": dt.date(2015, 6, 1),
                "valid_from": dt.date(2015, 6, 1),
                "term": "open_ended",
            },
        },
        shared
        | {
            "event_type": "status_stated",
            "facet": "standing",
            "standing": {"state": "revoked"},
        },
    ]


def test_a_taxpayer_of_grade_a() -> None:
    office = "国家税务总局示范市税务局"
    assert events("cn-tax-a-list", "heilongjiang-tax", TAX_A) == [
        {
            "event_type": "graded",
            "issuer": office,
            "subject": SUBJECT,
            "record_key": f"{office}/2018/{SUBJECT}",
            "facet": "decision",
            "void_ab_initio": "no",
            "decision": {
                "kind": "grade",
                "list_code": "tax_credit_a",
                "title": "A级纳税人",
                "grade": "A",
                "grade_scheme": "纳税信用",
                "period": "2018",
                "subject_name": "示范市瑞丰建筑工程有限公司",
            },
        }
    ]


def test_a_cosmetics_licence_that_was_cancelled() -> None:
    decision, standing = events("cn-nmpa-cosmetics", "nmpa", NMPA)
    assert decision["record_key"] == f"示范省药品监督管理局/示妆20260001/{SUBJECT}"
    assert decision["occurred_at"] == china(2026, 1, 6)
    assert decision["decision"] == {
        "number": "示妆20260001",
        "name": "化妆品生产许可证",
        "subject_name": "示范市瑞丰日化有限公司",
        "scope": "膏霜乳液单元（护发类）",
        "valid_from": dt.date(2026, 1, 6),
        "valid_to": dt.date(2031, 1, 5),
        "term": "fixed",
        "identifier_check": "none",
        "addresses": [
            {"kind": "registered", "text": "示范市东湖区建设路1号"},
            {"kind": "production", "text": "示范市高新区工业园一路2号"},
        ],
    }
    assert standing["effective_from"] == dt.date(2026, 3, 1)
    assert standing["standing"] == {"state": "cancelled", "reason": "企业申请注销"}


@pytest.mark.parametrize("family", ["registration", "licence", "credit"])
def test_an_event_a_program_sends_as_json(family: str) -> None:
    row = {
        "event_type": "objection_stated",
        "issuer": HOUSING,
        "subject": SUBJECT.lower(),
        "record_key": f"{HOUSING}/1",
        "facet": "objection",
        "sequence": "3",
        "occurred_at": "2026-05-01T00:00:00+08:00",
        "objection": '{"state": "raised", "reason": "金额有误"}',
    }
    schema = {"__row": pl.Int64, "__fault": pl.String, **dict.fromkeys(row, pl.String)}
    frame = pl.DataFrame([{"__row": 1, **row}], schema=schema)
    made = map_native(frame, DIALECTS[f"mianti-{family}"], Context([], {}))
    assert made.faults.is_empty()
    assert [said(event) for event in made.events.to_dicts()] == [
        row
        | {
            "subject": SUBJECT,
            "sequence": 3,
            "void_ab_initio": "no",
            "occurred_at": china(2026, 5, 1),
            "objection": {"state": "raised", "reason": "金额有误"},
        }
    ]


def test_every_shipped_dialect_is_tried_above() -> None:
    tried = {
        "cn-sgs-2018-licence",
        "cn-sgs-2018-penalty",
        "cn-sgs-2016-licence",
        "cn-sgs-2016-penalty",
        "registration-list",
        "cn-tax-a-list",
        "cn-nmpa-cosmetics",
        "mianti-registration",
        "mianti-licence",
        "mianti-credit",
    }
    assert set(DIALECTS) == tried


# Names of columns

EVERY_LAYOUT = Publisher.model_validate(
    {
        "name": {"en": "all", "zh": "全部"},
        "code": HOUSING,
        "cycle": "P1D",
        "families": {},
        "layouts": {name: {} for name in DIALECTS},
    }
)
SAMPLES = {
    "cn-sgs-2018-licence": LICENCE_2018,
    "cn-sgs-2018-penalty": PENALTY_2018,
    "cn-sgs-2016-licence": LICENCE_2016,
    "cn-sgs-2016-penalty": PENALTY_2016,
    "registration-list": REGISTRATION,
    "cn-tax-a-list": TAX_A,
    "cn-nmpa-cosmetics": NMPA,
}


@pytest.mark.parametrize("layout", SAMPLES)
def test_a_layout_is_told_from_all_others_by_its_own_names(layout: str) -> None:
    header = list(SAMPLES[layout])
    for names in (header, [n.lower() for n in header], [f" {n[:2]} {n[2:]}" for n in header]):
        found = recognise(names, DIALECTS, EVERY_LAYOUT, None)
        assert found.dialect.id == layout
        assert list(found.names.values()) == header


@pytest.mark.parametrize("layout", [name for name in SAMPLES if name.startswith("cn-sgs")])
def test_a_layout_is_told_from_all_others_by_its_chinese_names(layout: str) -> None:
    columns = DIALECTS[layout].columns
    header = [columns[name][0] for name in SAMPLES[layout] if columns[name]]
    header += [name for name in SAMPLES[layout] if not columns[name]]
    assert recognise(header, DIALECTS, EVERY_LAYOUT, None).dialect.id == layout


def test_the_2018_export_of_a_city_is_recognised_with_the_names_it_has() -> None:
    header = [
        "行政相对人名称",
        "行政相对人代码_1（统一社会信用代码）",
        "行政相对人代码_2（工商注册号）",
        "法定代表人身份证号",
        "证件类型",
        "证件号码",
        "行政许可决定文书名称",
        "行政许可决定文书号",
        "许可类别",
        "许可决定日期",
        "有效期自",
        "有效期至",
        "许可机关",
        "许可机关统一社会信用代码",
        "当前状态",
        "数据导出时间",
    ]
    found = match(header, DIALECTS["cn-sgs-2018-licence"])
    assert found is not None
    assert found.names["行政相对人代码_1（统一社会信用代码）"] == "XK_XDR_SHXYM"
    assert found.names["法定代表人身份证号"] == "XK_FR_ZJHM"
    assert set(header) - set(found.names) == {"数据导出时间"}


@pytest.mark.parametrize(
    ("layout", "alias", "name"),
    [
        ("cn-sgs-2018-licence", "XK_FDDB", "XK_FRDB"),
        ("cn-sgs-2018-licence", "XK_FR", "XK_FRDB"),
        ("cn-sgs-2018-licence", "XK_FR_SFZH", "XK_FR_ZJHM"),
        ("cn-sgs-2018-licence", "XK_XDR", "XK_XDR_MC"),
        ("cn-sgs-2018-licence", "XK_JZQ", "XK_YXQZI"),
        ("cn-sgs-2018-licence", "xk_lydwdm", "XK_LYDWDM"),
        ("cn-sgs-2018-penalty", "CF_XZJG", "CF_CFJG"),
        ("cn-sgs-2018-penalty", "CF_XKJG", "CF_CFJG"),
        ("cn-sgs-2018-penalty", "CF_XDR_GSDJ", "CF_XDR_GSZC"),
        ("cn-sgs-2018-penalty", "CF_XDR_ZDM", "CF_XDR_ZZJG"),
        ("cn-sgs-2016-penalty", "CF_AJMC", "CF_CFMC"),
        ("cn-sgs-2016-penalty", "CF_CFLB", "CF_CFLB1"),
        ("cn-sgs-2016-penalty", "CF_CFJG", "CF_XZJG"),
        ("cn-sgs-2016-licence", "XK_FRDB", "XK_FR"),
        ("cn-sgs-2016-licence", "XK_YXQZI", "XK_JZQ"),
    ],
)
def test_other_spellings_of_a_column_are_known(layout: str, alias: str, name: str) -> None:
    assert DIALECTS[layout].aliases()[fold_name(alias)] == name


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda d: d.id)
def test_no_spelling_stands_for_two_columns(dialect: Dialect) -> None:
    spellings = [fold_name(s) for name, more in dialect.columns.items() for s in [name, *more]]
    assert sorted(spellings) == sorted(set(spellings))


@pytest.mark.parametrize(
    ("layout", "column"),
    [
        ("cn-sgs-2018-licence", "XK_ZT"),
        ("cn-sgs-2018-licence", "XK_YXQZI"),
        ("cn-sgs-2018-licence", "XK_XKJGDM"),
        ("cn-sgs-2016-licence", "XK_ZT"),
        ("cn-sgs-2016-licence", "XK_JZQ"),
        ("cn-sgs-2018-penalty", "CF_GSJZQ"),
        ("cn-sgs-2016-penalty", "CF_ZT"),
        ("registration-list", "登记状态"),
    ],
)
def test_a_file_without_a_column_that_ends_a_use_is_not_read(layout: str, column: str) -> None:
    header = [name for name in SAMPLES[layout] if name != column]
    with pytest.raises(NotRecognised, match=column):
        recognise(header, DIALECTS, EVERY_LAYOUT, layout)


# Values


def test_the_same_code_means_annulled_in_one_layout_and_in_force_in_the_other() -> None:
    new = events("cn-sgs-2018-licence", "housing-demo", LICENCE_2018 | {"XK_ZT": "1"})
    old = events("cn-sgs-2016-licence", "housing-demo", LICENCE_2016 | {"XK_ZT": "1"})
    assert new[1]["standing"] == {"state": "in_force"}
    assert old[1]["standing"] == {"state": "annulled"}


@pytest.mark.parametrize(
    ("code", "standing", "objection"),
    [
        (None, "in_force", "none"),
        ("", "in_force", "none"),
        ("0", "in_force", "none"),
        ("1", "annulled", "none"),
        ("2", "in_force", "raised"),
        ("3", "other", "none"),
    ],
)
def test_the_2016_state_says_standing_and_objection(
    code: str | None, standing: str, objection: str
) -> None:
    for layout, publisher, row, column in (
        ("cn-sgs-2016-licence", "housing-demo", LICENCE_2016, "XK_ZT"),
        ("cn-sgs-2016-penalty", "credit-demo", PENALTY_2016, "CF_ZT"),
    ):
        _, first, second = events(layout, publisher, row | {column: code})
        assert first["standing"] == {"state": standing}
        assert first["void_ab_initio"] == ("yes" if standing == "annulled" else "no")
        assert second["objection"] == {"state": objection}


@pytest.mark.parametrize(
    ("layout", "publisher", "row", "change"),
    [
        ("cn-sgs-2018-licence", "housing-demo", LICENCE_2018, {"XK_ZT": "7"}),
        ("cn-sgs-2018-licence", "housing-demo", LICENCE_2018, {"XK_XKLB": "01"}),
        ("cn-sgs-2016-licence", "housing-demo", LICENCE_2016, {"XK_ZT": "4"}),
        ("cn-sgs-2016-licence", "housing-demo", LICENCE_2016, {"XK_SPLB": "普通"}),
        ("cn-sgs-2016-penalty", "credit-demo", PENALTY_2016, {"CF_ZT": "有效"}),
        ("registration-list", "samr-demo", REGISTRATION, {"登记状态": "正常"}),
    ],
)
def test_a_code_not_in_the_list_is_refused(
    layout: str, publisher: str, row: dict[str, str], change: dict[str, str]
) -> None:
    assert why(layout, publisher, row | change) == ("unknown_code", *change)


@pytest.mark.parametrize(
    ("wan_yuan", "yuan"),
    [
        ("0.2", "2000.00"),
        ("0.000001", "0.01"),
        ("1234.567891", "12345678.91"),
        ("1,234.5", "12345000.00"),
        ("0.1", "1000.00"),
        ("0.3", "3000.00"),
        ("999999999999", "9999999999990000.00"),
        (None, None),
    ],
)
def test_wan_yuan_become_yuan_exactly(wan_yuan: str | None, yuan: str | None) -> None:
    row = PENALTY_2018 | {"CF_NR_FK": wan_yuan}
    [event] = events("cn-sgs-2018-penalty", "credit-demo", row)
    assert event["decision"].get("fine_yuan") == (yuan and Decimal(yuan))


@pytest.mark.parametrize(
    ("amount", "reason"),
    [("0.0000001", "amount_below_fen"), ("2000元", "bad_amount"), ("1e3", "bad_amount")],
)
def test_an_amount_that_cannot_be_is_refused(amount: str, reason: str) -> None:
    row = PENALTY_2018 | {"CF_NR_WFFF": amount}
    assert why("cn-sgs-2018-penalty", "credit-demo", row) == (reason, "CF_NR_WFFF")


@pytest.mark.parametrize(
    ("end", "valid_to", "term"),
    [
        ("2099/12/31", None, "open_ended"),
        ("2099-12-31", None, "open_ended"),
        ("20991231", None, "open_ended"),
        ("9999-12-31", None, "open_ended"),
        ("长期", None, "open_ended"),
        ("", None, "not_stated"),
        ("2099-12-30", dt.date(2099, 12, 30), "fixed"),
    ],
)
def test_an_end_that_stands_for_none_is_none(end: str, valid_to: dt.date | None, term: str) -> None:
    row = LICENCE_2018 | {"XK_YXQZI": end}
    decision = events("cn-sgs-2018-licence", "housing-demo", row)[0]["decision"]
    assert (decision.get("valid_to"), decision["term"]) == (valid_to, term)


@pytest.mark.parametrize("end", ["2026-02-30", "2026-13-01", "46000", "永"])
def test_what_is_no_date_is_refused(end: str) -> None:
    row = LICENCE_2018 | {"XK_YXQZI": end}
    assert why("cn-sgs-2018-licence", "housing-demo", row) == ("bad_date", "XK_YXQZI")


@pytest.mark.parametrize("code", ["00000000000000000X", "00000000000000000x", "", " "])
def test_a_row_without_the_enterprises_code_is_refused(code: str) -> None:
    row = LICENCE_2018 | {"XK_XDR_SHXYM": code}
    assert why("cn-sgs-2018-licence", "housing-demo", row) == ("code_missing", "XK_XDR_SHXYM")


def test_a_natural_persons_row_is_refused() -> None:
    person = {"XK_XDR_MC": "王某", "XK_XDR_LB": "自然人", "XK_XDR_SHXYM": "", "XK_XDR_ZJLX": "01"}
    reason, _ = why("cn-sgs-2018-licence", "housing-demo", LICENCE_2018 | person)
    assert reason == "code_missing"


def test_a_lower_case_code_is_the_same_code() -> None:
    row = LICENCE_2018 | {"XK_XDR_SHXYM": f" {SUBJECT.lower()} "}
    assert events("cn-sgs-2018-licence", "housing-demo", row)[0]["subject"] == SUBJECT


@pytest.mark.parametrize("column", ["XK_XKJGDM", "XK_WSH", "XK_XDR_MC"])
def test_what_a_record_cannot_do_without_is_asked_for_by_name(column: str) -> None:
    row = LICENCE_2018 | {column: ""}
    assert why("cn-sgs-2018-licence", "housing-demo", row) == ("missing", column)


@pytest.mark.parametrize(
    ("layout", "columns"),
    [
        (
            "cn-sgs-2018-licence",
            ["XK_FRDB", "XK_FR_ZJLX", "XK_FR_ZJHM", "XK_XDR_ZJLX", "XK_XDR_ZJHM"],
        ),
        (
            "cn-sgs-2018-penalty",
            ["CF_FRDB", "CF_FR_ZJLX", "CF_FR_ZJHM", "CF_XDR_ZJLX", "CF_XDR_ZJHM"],
        ),
        ("cn-sgs-2016-licence", ["XK_XDR_SFZ", "XK_FR", "XK_FR_SFZH"]),
        ("cn-sgs-2016-penalty", ["CF_XDR_SFZ", "CF_FR", "CF_FR_SFZH"]),
        ("registration-list", ["法定代表人", "联系电话"]),
    ],
)
def test_columns_about_persons_are_named_as_such(layout: str, columns: list[str]) -> None:
    assert DIALECTS[layout].personal == columns


@pytest.mark.parametrize("layout", [n for n, d in DIALECTS.items() if d.personal])
def test_personal_columns_reach_no_event(layout: str) -> None:
    publisher = next(name for name, line in TABLE.items() if layout in line.layouts)
    row = SAMPLES[layout] | dict.fromkeys(DIALECTS[layout].personal, "秘密")
    assert "秘密" not in str(events(layout, publisher, row))


# The contract as a whole


def _maps(dialect: Dialect) -> Iterator[tuple[EventMap, str, Any]]:
    for event in dialect.events:
        yield event, "event_type", event.type
        for name, spec in event.content.items():
            yield event, f"{event.facet}.{name}", spec


def _enum(family: str, path: str) -> tuple[str, ...] | None:
    known = {"event_type", "decision.kind", "decision.term", "decision.identifier_check"}
    return symbols(family, path) if path in known or path.endswith(".state") else None


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda d: d.id)
def test_a_dialect_says_only_what_the_schema_has_words_for(dialect: Dialect) -> None:
    for event, path, spec in _maps(dialect):
        assert event.facet in facets(dialect.family)
        names = {field.name for field in event_columns(dialect.family)[event.facet].fields}  # type: ignore[attr-defined]
        assert set(event.content) <= names
        words = _enum(dialect.family, path)
        if words and isinstance(spec, Const):
            assert spec.const in words, path
        if words and isinstance(spec, IfPresent):
            assert {spec.then, spec.otherwise} <= set(words), path


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda d: d.id)
def test_a_dialect_states_its_record_key_in_words(dialect: Dialect) -> None:
    assert dialect.record_key.says.en.strip()
    assert dialect.record_key.says.zh.strip()


@pytest.mark.parametrize(
    ("off", "reason", "state"),
    [
        ("2026-03-01", "", "cancelled"),
        ("", "企业申请注销", "cancelled"),
        ("", "逾期", "cancelled"),
        ("", "无", "in_force"),
        ("", "/", "in_force"),
        ("", "", "in_force"),
    ],
)
def test_a_licence_given_up_by_its_date_or_its_reason(off: str, reason: str, state: str) -> None:
    row = NMPA | {"offDate": off or None, "offReason": reason or None}
    told = events("cn-nmpa-cosmetics", "nmpa", row)
    assert [one["standing"]["state"] for one in told if one["facet"] == "standing"] == [state]


def _layouts() -> list[tuple[str, str]]:
    return [(name, layout) for name, line in TABLE.items() for layout in line.layouts]


@pytest.mark.parametrize(("publisher", "layout"), _layouts())
def test_a_publishers_line_fits_its_layouts(publisher: str, layout: str) -> None:
    line, dialect = TABLE[publisher], DIALECTS[layout]
    chosen = line.layouts[layout].codes
    assert set(chosen) == dialect.code_lists()
    rights = line.families[dialect.family]
    assert {event.facet for event in dialect.events} <= set(rights.facets)
    for _, path, spec in _maps(dialect):
        words = _enum(dialect.family, path)
        if isinstance(spec, Code) and words:
            assert set(CODES[chosen[spec.list]].values.values()) <= set(words)


@pytest.mark.parametrize("publisher", TABLE)
def test_a_publishers_own_code_is_valid(publisher: str) -> None:
    assert uscc.is_valid(TABLE[publisher].code)
    code = pl.DataFrame({"code": [TABLE[publisher].code]})
    assert code.select(uscc.inner_org_code_valid(pl.col("code"))).item()


def test_every_code_list_says_where_it_is_known_from() -> None:
    for codes in CODES.values():
        assert codes.source.strip()
        assert codes.values


@pytest.mark.parametrize(
    ("layout", "numbered"),
    [
        ("cn-sgs-2018-licence", True),
        ("cn-sgs-2016-penalty", True),
        ("cn-nmpa-cosmetics", True),
        ("registration-list", False),
        ("cn-tax-a-list", False),
    ],
)
def test_a_key_of_a_year_or_a_list_holds_no_number_of_a_document(
    layout: str, numbered: bool
) -> None:
    assert has_document_number(DIALECTS[layout]) is numbered
