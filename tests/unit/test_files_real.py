"""Two sets of Chinese departments, byte for byte as they were published."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from connectors.files import Source, open_source

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("MIANTI_SHARED_DATA", ROOT.parent / "shared" / "data"))


def real(name: str) -> Source:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"no {path}: set MIANTI_SHARED_DATA to the directory of the real files")
    return open_source(path, chunk_rows=1000)


def rows(source: Source) -> pl.DataFrame:
    return pl.concat(chunk.rows for chunk in source.chunks())


def test_the_tax_list_is_gbk_and_its_rows_are_not_what_its_header_says() -> None:
    source = real("cn_tax_a_heilongjiang_2018/heilongjiang.csv")
    assert source.encoding == "gb18030"
    assert source.header == ["编号\t纳税人识别号", "纳税人名称", "信用级别", "评价年度", "税务机关"]
    found = rows(source.with_header(["seq", "id", "name", "year", "office"]))
    assert found.height == 5233
    assert found["__fault"].null_count() == 5233
    assert found.row(0)[2:5] == ("1", "91230800MA18XN8J5K", "佳木斯凯华凯立汽车销售服务有限公司")
    assert found["year"].unique().to_list() == ["2018"]
    assert found["id"].str.len_chars().value_counts().sort("id").rows()[0] == (15, 24)


def test_the_cosmetics_licences_are_sixty_records_of_thirty_five_keys() -> None:
    source = real("cn_nmpa_cosmetics_licences_2021/nmpa_detail_2021-10.json")
    found = rows(source)
    assert (source.format, len(source.header), found.height) == ("json", 35, 60)
    assert found["__fault"].null_count() == 60
    assert found.drop("__row").unique().height == 15
    assert found["endTime"].null_count() == 60
