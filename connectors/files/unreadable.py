"""Files that cannot be read at all: why, and what the department can do about it."""

from collections.abc import Sequence

from connectors.errors import MiantiError
from schemas.personal import redact

_AS_CSV_EN = "save it as .xlsx or as CSV UTF-8 and publish that file."
_AS_CSV_ZH = "请另存为 .xlsx 或“CSV UTF-8”后再发布。"

REASONS: dict[str, tuple[str, str]] = {
    "missing_file": (
        "There is no such file: check the path.",
        "找不到该文件：请检查路径。",
    ),
    "no_permission": (
        "The file may not be read: ask for permission to read it.",
        "没有读取该文件的权限：请先取得读取权限。",
    ),
    "not_a_file": (
        "This is not a file: name the file itself, not its folder.",
        "这不是文件：请指定文件本身，而不是文件夹。",
    ),
    "empty_file": (
        "The file is empty, with not even a header: export it again.",
        "文件为空，连表头也没有：请重新导出。",
    ),
    "compressed_file": (
        "This is a compressed archive: unpack it and publish the files in it.",
        "这是压缩包：请解压后发布其中的文件。",
    ),
    "binary_file": (
        f"This is neither a table nor JSON text: {_AS_CSV_EN}",
        f"这既不是表格也不是 JSON 文本：{_AS_CSV_ZH}",
    ),
    "web_page": (
        f"This is a web page or XML text, whatever its name says: open it in Excel, {_AS_CSV_EN}",
        f"不论文件名如何，这实际是网页或 XML 文本：请用 Excel 打开，{_AS_CSV_ZH}",
    ),
    "old_excel": (
        f"This is the old .xls format: open it in Excel, {_AS_CSV_EN}",
        f"这是旧版 .xls 格式：请用 Excel 打开，{_AS_CSV_ZH}",
    ),
    "encrypted_excel": (
        f"This workbook is protected by a password: take the password off, {_AS_CSV_EN}",
        f"该工作簿有打开密码：请先取消密码，{_AS_CSV_ZH}",
    ),
    "damaged_excel": (
        f"This workbook is damaged or cut off: open it in Excel, {_AS_CSV_EN}",
        f"该工作簿已损坏或不完整：请用 Excel 打开，{_AS_CSV_ZH}",
    ),
    "excel_too_big": (
        "This workbook unpacks to more than can be read safely: save it as CSV UTF-8.",
        "该工作簿解压后过大，无法安全读取：请另存为“CSV UTF-8”。",
    ),
    "no_header": (
        "No header was found: the first row must name the columns.",
        "没有找到表头：第一行应为各列名称。",
    ),
    "too_many_columns": (
        "The file names more than {limit} columns: check how it was exported.",
        "文件的列数超过 {limit}：请检查导出方式。",
    ),
    "broken_json": (
        "The JSON text breaks at record {record}, so nothing of it was published: export it again.",
        "JSON 文本在第 {record} 条记录处中断，未发布任何内容：请重新导出。",
    ),
    "no_records": (
        "The JSON text holds no list of records: it must be a list of objects, an object with "
        "one such list, or one object a line.",
        "JSON 文本中没有记录列表：应为对象数组、含一个对象数组的对象，或每行一个对象。",
    ),
    "python_text": (
        "The lines are the notation of a Python program , such as 'name': …, not JSON: write them with "
        "json.dumps and publish that file.",
        "各行是 Python 程序的写法（如 '名称': …），不是 JSON：请用 json.dumps 输出后再发布。",
    ),
    "several_lists": (
        "The JSON object holds more than one list of records: keep the one to publish.",
        "JSON 对象中有多个记录列表：请只保留要发布的一个。",
    ),
}


class Unreadable(MiantiError):
    """The whole file is refused; `reason_code` is a key of `REASONS`."""

    def __init__(self, reason_code: str, message_en: str, message_zh: str) -> None:
        """Keep the code beside the two sentences."""
        super().__init__(message_en, message_zh)
        self.reason_code = reason_code

    def __reduce__(self) -> tuple[type["Unreadable"], tuple[str, str, str]]:
        return Unreadable, (self.reason_code, self.message_en, self.message_zh)


def unreadable(code: str, **words: int | str) -> Unreadable:
    """Build the error of `code`, with the numbers and names its sentences hold."""
    english, chinese = REASONS[code]
    return Unreadable(code, english.format(**words), chinese.format(**words))


def elsewhere(places: Sequence[str]) -> Unreadable:
    """Build the error of a JSON text whose lists of records are further within."""
    named = redact(", ".join(places[:5]))
    return Unreadable(
        "no_records",
        f"The records are not in the outermost object; there are lists of objects at: {named}. Name "
        "the right one in the layout's dialect, such as `records: data.rows`, or export that list "
        "alone.",
        f"记录不在最外层对象中；对象数组位于：{named}。请在该版式的方言文件中写明位置（如 records: data.rows），"
        "或只导出记录数组。",
    )
