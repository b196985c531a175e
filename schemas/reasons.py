"""What each reason means, in both languages, for the sender of a refused row.

`{where}` is the layout's own column (or an event field, or a row number): never a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from schemas.dialect import Words

REASONS: Final[dict[str, tuple[str, str]]] = {
    # the enterprise's code (GB 32100-2015)
    "code_missing": (
        "{where}: the enterprise's code is missing.",
        "{where}：缺少统一社会信用代码。",
    ),
    "code_placeholder": (
        "{where} holds the placeholder for 'no code', not a code.",
        "{where}：填写的是“无代码”占位符，不是统一社会信用代码。",
    ),
    "code_length": (
        "{where} is not 18 characters long: no unified social credit code.",
        "{where}：不是 18 位，不是统一社会信用代码。",
    ),
    "code_alphabet": (
        "{where} holds a character that no unified social credit code has (I, O, S, V, Z or other).",
        "{where}：含有统一社会信用代码不使用的字符（I、O、S、V、Z 等）。",
    ),
    "code_structure": (
        "{where} does not begin as a unified social credit code does.",
        "{where}：前 8 位不符合统一社会信用代码的结构。",
    ),
    "code_check_digit": (
        "{where}: the check digit is wrong; look for a mistyped character.",
        "{where}：校验位不正确，请检查是否有录入错误。",
    ),
    # the row
    "missing": ("{where} is empty; this layout needs it.", "{where}：必填项为空。"),
    "issuer_missing": ("The deciding organ is missing.", "缺少决定机关（或其代码）。"),
    "key_incomplete": (
        "{where}: without it the record cannot be told from others.",
        "{where}：为空，无法唯一确定该记录。",
    ),
    "bad_date": ("{where} is not a date.", "{where}：不是有效日期。"),
    "bad_time": ("{where} is not a date or time.", "{where}：不是有效的日期或时间。"),
    "date_out_of_range": (
        "{where}: the year is not between 1900 and 2200.",
        "{where}：年份不在 1900 至 2200 之间。",
    ),
    "date_too_early": (
        "{where}: nothing can have been decided or have taken effect on a day before 1949-10-01.",
        "{where}：决定或生效日期早于 1949-10-01，不可能成立，请核对。",
    ),
    "date_in_future": (
        "{where} lies in the future, where something was decided or took effect: look for a "
        "mistyped year; what is to take effect later is published on that day.",
        "{where}：日期晚于当前时间，而该日期应为已决定或已生效之日，请检查年份是否录入错误；"
        "尚未生效的内容请在生效之日再行报送。",
    ),
    "dates_reversed": ("{where} lies before the day it begins.", "{where}：早于起始日期。"),
    "bad_amount": (
        "{where} is not an amount: write digits with a point before the decimals, and commas only "
        "between groups of three digits.",
        "{where}：不是有效金额。请用数字填写，小数点用“.”，逗号只用于每三位数字之间。",
    ),
    "columns_differ": (
        "{where} hold different amounts: correct or empty one of them.",
        "{where}：两列金额不一致，请更正或清空其中一列。",
    ),
    "part_not_found": (
        "{where} does not have the form this layout knows.",
        "{where}：内容不符合该版式约定的格式。",
    ),
    "state_not_stated": (
        "{where} is empty, so the state is not stated: fill it in. If an empty cell means that all "
        "is well, say so in the department's code list and leave the whole column empty.",
        "{where}：状态为空，视为未说明，请填写。如空白确表示正常，请在本部门代码表中列明空值的含义，"
        "并将整列留空。",
    ),
    "state_unread": (
        "The layout does not know the column {where}, and what stands there may say that the record has "
        "ended. In the layout's dialect, read the column, or put it under `ignore` if it tells nothing of "
        "that; then publish the file again.",
        "该版式未定义“{where}”列，而该列内容可能表示记录已失效或被注销、撤销等。请在版式的方言文件中读取该列；"
        "与记录效力无关的，请列入 ignore；然后重新发布该文件。",
    ),
    "amount_below_fen": (
        "{where} holds a part of a fen: is the unit right?",
        "{where}：金额小于一分，请检查单位是否正确。",
    ),
    "amount_out_of_range": (
        "{where} is negative or beyond any amount.",
        "{where}：金额为负数或超出范围。",
    ),
    "unknown_code": (
        "{where} holds a code that this department's code list does not have.",
        "{where}：代码不在本部门的代码表中。",
    ),
    "bad_value": (
        "{where} does not hold what the schema asks for.",
        "{where}：内容不符合数据规范。",
    ),
    "sequence_range": (
        "The sequence is less than 1, or 4503599627370496 (2^52) or more; of a message that was landed, "
        "9007199254740992 (2^53) or more.",
        "序号小于 1，或不小于 4503599627370496（2^52；已入库消息为 9007199254740992，即 2^53）。",
    ),
    "no_sequence_left": (
        "Nothing can follow what the topic holds of this record: another program gave it a sequence next "
        "to 2^53. Set it right by `mianti overrule`, then publish the row again.",
        "主题中该记录的序号已接近 2^53（由其他程序写入），无法再更新：请用 `mianti overrule` 更正后重新发布该行。",
    ),
    "control_character": ("{where} holds a control character.", "{where}：含有控制字符。"),
    "too_long": ("{where} is longer than 20,000 characters.", "{where}：超过 20000 个字符。"),
    "personal_data": (
        "{where} holds an identity number or a mobile number: take it out and send the row again.",
        "{where}：含有身份证号码或手机号码，请删除后重新报送。",
    ),
    # what the publisher sent before
    "contradictory": (
        "Another row of this edition (row {where}) says otherwise of the same record: keep the "
        "right one.",
        "同一版次内第 {where} 行对同一记录的内容不同，请只保留正确的一行。",
    ),
    "contradictory_published": (
        "This edition was already published with another content of this record (row {where}): if "
        "this one is newer, publish it with a later --edition.",
        "同一版次已发布过该记录的不同内容（第 {where} 行）：如本次内容更新，请用更晚的 --edition 重新发布。",
    ),
    "older_edition": (
        "A newer edition of this record was already published; this one would set it back. If it "
        "is the newest all the same, publish it with --edition.",
        "该记录已发布过更新的版次，本行内容较旧。如确为最新内容，请用 --edition 指定版次后重新发布。",
    ),
    "subject_changed": (
        "The record is another enterprise's: if the document names both, the key of the layout "
        "must hold the enterprise; if the first was wrong, withdraw it (mianti withdraw) or let "
        "the layout say moves: {{subjects: true}}.",
        "该记录属于另一企业：如同一文书涉及多个相对人，版式的记录键应包含相对人代码；如原相对人有误，"
        "请先撤回原记录（mianti withdraw），或在版式中写明 moves: {{subjects: true}}。",
    ),
    "other_layout": (
        "The record was published in another layout ({where}), whose fields this one would erase: "
        "send it in that layout, or name that one under moves: layouts of this one.",
        "该记录此前以另一版式（{where}）发布，以本版式发布会抹去其字段：请继续使用原版式，"
        "或在本版式的 moves: layouts 中写明原版式。",
    ),
    "withdrawn": (
        "The record was withdrawn; lift that first: mianti withdraw KEY --undo --publisher ID.",
        "该记录已撤回；如需恢复，请先执行 mianti withdraw 记录键 --undo --publisher 部门编号。",
    ),
    # rights
    "unknown_publisher": ("The publishers' table does not have it.", "发布部门未登记。"),
    "wrong_publisher": (
        "The event names another publisher than its topic.",
        "事件中的发布部门与主题不符。",
    ),
    "family_not_owned": (
        "The publisher may not publish this family.",
        "该部门无权发布此类数据。",
    ),
    "facet_not_owned": (
        "The publisher may not set this part of a record.",
        "该部门无权发布记录的这一部分。",
    ),
    "issuer_not_owned": (
        "{where}: the publisher may not speak for this organ (see the publishers' table).",
        "{where}：该部门无权代表此决定机关发布（见发布部门表）。",
    ),
    "layout_not_owned": ("The publisher does not send this layout.", "该部门未登记此版式。"),
    "key_without_issuer": (
        "The record key does not begin with the issuer.",
        "记录键未以决定机关开头。",
    ),
    "key_mismatch": ("The Kafka key is not the event's subject.", "Kafka 键与事件主体不一致。"),
    "content_mismatch": (
        "The event's content is not that of its facet.",
        "事件内容与其类别不符。",
    ),
    "header_mismatch": (
        "The header {where} does not agree with the event in the message.",
        "消息头 {where} 与消息中的事件不一致。",
    ),
    "bad_event_id": ("The event's id does not follow from its content.", "事件编号与内容不符。"),
    # Kafka values that are no events
    "tombstone": ("The message has no value.", "消息为空。"),
    "too_large": ("The message is larger than 1 MiB.", "消息超过 1 MiB。"),
    "batch_too_large": (
        "The batch of messages unpacks to more than 32 MiB or holds more than 131,072 messages: "
        "it was not read.",
        "该批消息解压后超过 32 MiB 或超过 131072 条，未予读取。",
    ),
    "bad_frame": ("The message has no Confluent frame.", "消息没有 Confluent 帧头。"),
    "unknown_schema": ("The schema id is not known.", "模式编号未知。"),
    "foreign_schema": (
        "The schema id is that of a schema which this release does not know.",
        "模式编号对应的模式不属于本版本已知的模式。",
    ),
    "schema_of_other_family": (
        "The schema is that of another family.",
        "模式属于其他数据类别。",
    ),
    "bad_body": ("The Avro body cannot be read.", "Avro 内容无法解析。"),
    "trailing_bytes": ("Bytes follow the Avro body.", "Avro 内容之后有多余字节。"),
}

_UNKNOWN: Final = (
    "{where}: refused by a check of another release.",
    "{where}：未通过其他版本的检查。",
)


def sentence(code: str, where: str | None) -> Words:
    """Return what a reason means in words; another release may have had a code the table lacks."""
    from schemas.dialect import Words  # takes a moment to import; a list of the codes does not

    english, chinese = REASONS.get(code, _UNKNOWN)
    place = where or "?"
    return Words(en=english.format(where=place), zh=chinese.format(where=place))
