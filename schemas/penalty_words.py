"""The words by which penalties are told, as data: one table for both engines and the credit check.

Kinds: 行政处罚法 (2021) art. 9, in its order. The synonyms beside the law's own words are those that
decision documents and 双公示 exports use for the same kind: 《行政许可法》 art. 69-70 (撤销, 注销),
《安全生产许可证条例》 art. 14 ff. and 《建筑业企业资质管理规定》 (收回, 撤回, 降级), 《无证无照经营查处办法》
(取缔), 《环境保护法》 art. 60 (限制生产, 停产整治). All are looked for in the text folded by
`schemas.folding.fold_text`: no blanks, no line breaks, one width.
"""

from __future__ import annotations

from functools import cache
from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


#: What takes a certificate away for good, or makes it void.
_TAKEN_BACK: Final = _words(
    "吊销 吊消 撤销 撤消 注销 注消 收回 收缴 缴销 撤回 缴回 交回 吊照 吊证 撤证 撤照"
)
#: What ends a licence for good, until somebody says that it was given back.
_TAKEN: Final = (
    *_TAKEN_BACK,
    *_words(
        "追缴 取消 废止 作废 失效 剥夺 终止 宣布无效 确认无效 宣告无效 许可无效 许可证无效 证书无效"
    ),
    *_words("资质无效 资格无效 REVOKE CANCEL"),
)
_LOWERED: Final = _words("降低 降级 降为 下调 核减")
#: What takes a licence away for a time.
_HELD: Final = _words("暂扣 吊扣 扣留 扣押 扣证 暂停 中止 冻结 封存 SUSPEND")
_STOPPED: Final = _words(
    "停产停业 停业 停产 停工 停止 停用 停厂 停店 停办 停驶 停航 停运 歇业 "
    "暂停 中止 关门 禁止营业 不准营业 不得营业 禁止生产经营 不得继续经营 不得继续营业 不得继续生产 "
    "不得开展经营"
)
_CLOSED: Final = _words("关闭 关停 取缔 查封")
_RESTRICTED: Final = _words(
    "限制开展生产经营 限制生产 限制经营 限制开展 限制业务 限产 限制营业 不得承接 限制承接 限制投标 "
    "禁止投标"
)
_BANNED: Final = _words(
    "限制从业 从业禁止 禁止从业 禁业 市场禁入 不得从事 不得申请 禁止从事 终身不得"
)
#: A fine; and signs of an amount, which is one unless something is confiscated.
FINED: Final = _words("罚款 罚金 罚没")
#: A fine that is not called one: 处300万元, 罚三百万元; a pattern of the folded text.
FINED_AMOUNT: Final = (
    "[处罚]以?(?:人民币)?[0-9一二三四五六七八九十两壹贰叁肆伍陆柒捌玖拾]"
    "[0-9,.零〇一二三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟]*元"
)
AMOUNTS: Final = _words("元 ¥ RMB CNY")
CONFISCATED: Final = "没收"

#: Kinds of penalty: words for one kind. A word of a bar means all words of its kind.
KINDS: Final[tuple[tuple[str, ...], ...]] = (
    _TAKEN,
    _LOWERED,
    _HELD,
    _STOPPED,
    _CLOSED,
    _RESTRICTED,
    _BANNED,
    FINED,
)
#: Words of penalties that stop no business and no licence: a text with one of them tells a kind.
MILD: Final = (
    CONFISCATED,
    *_words(
        "警告 通报批评 批评 拘留 责令改正 责令限期 限期改正 限期整改 责令整改 责令拆除 限期拆除 训诫 约谈 不予"
    ),
    *_words("免予 免罚 恢复原状 责令退还 责令赔偿 责令召回 加处 滞纳金 记分 扣分 WARNING FINE"),
)
#: What ends with a last day of its own, where nothing else is said.
SUSPENDING: Final = (*_HELD, *_STOPPED, *_RESTRICTED)
#: A suspension that ends when something was done, and not by a day.
UNTIL_MENDED: Final = _words("直至 直到 至整改 合格后 完成后 合格为止 方可")
#: What no passing of time ends.
LASTING: Final = (*_TAKEN, *_LOWERED, *_CLOSED, *_BANNED)
#: What is done to a certificate or ends a business: where no certificate is named it may be any.
#: The others stop a licence only where they name it.
OF_CERTIFICATES: Final = (
    *_TAKEN_BACK,
    *_words("暂扣 吊扣 降低 降级 取缔 责令关闭 依法关闭 予以关闭 关闭企业 关停 REVOKE SUSPEND"),
)
#: Every word that may stop a licence.
STOPPING: Final = tuple(dict.fromkeys((*SUSPENDING, *LASTING, *OF_CERTIFICATES)))
#: Every word that tells a kind.
TELLING: Final = tuple(dict.fromkeys((*(word for kind in KINDS for word in kind), *AMOUNTS, *MILD)))
#: A fine, of which the word before it is none of its own: 并处罚款 must not lose it with 处罚.
PARTED: Final[dict[str, str]] = {"处罚款": "罚款", "处罚金": "罚金", "处罚没": "罚没"}
#: Words that hold a word of a kind and tell none: they are taken out before words are looked for.
EMPTY: Final = (
    *("处罚", "停止违法行为", "停止侵权", "停止侵害", "停止发布", "停止销售"),
    *("停止排放", "停止排污", "停止播出", "停止刊登"),
)

#: What a decision about a licence is called that ends it, at the head of its content
#: (行政许可法 art. 69-70): the document is in force, and the licence is not.
ENDING_DOCUMENT: Final = (
    r"^(?:关于|准予|同意|决定|依法|予以|依申请|申请|行政许可|许可|证书|证照|主动|的)*"
    r"(撤销|注销|吊销|撤回|收回|缴销|作废|废止|暂扣)"
)
#: The same anywhere in the name of a document or certificate: 食品经营许可注销决定书.
ENDING_TITLE: Final = (
    "(撤销|撤消|注销|注消|吊销|吊消|撤回|收回|收缴|缴销|作废|废止|失效|终止|取消|暂扣|吊扣|暂停|中止|无效|"
    "停用|停业|停产|取缔|责令关闭|关闭决定|吊照|吊证|撤证|缴回|交回|扣留|扣押|冻结|降级|降低)"
)
#: The same in a remark or in what a licence permits: 该证已于2026年4月1日被吊销. Words that also stand in
#: a scope for what a business does (失效分析, 暂停) do not count.
ENDING_WORDS: Final = (
    "(?:撤销|撤消|注销|注消|吊销|吊消|缴销|作废|暂扣|吊扣|"
    "失效(?!分析|检测|研究|机理|评估|日期|时间|模式|报警)|"
    "已经?被?(?:撤回|收回|收缴|缴回|交回|取消|终止|停用|暂停|中止|冻结|废止|关闭)|"
    "已经?(?:停业|歇业|退证|撤证|转出|迁出)|"
    "(?:许可|资质|资格|证|证书|证照|照)(?:已经?|现)?被?"
    "(?:撤回|收回|收缴|缴回|交回|取消|终止|停用|暂停|中止|冻结|废止|无效)|"
    "被(?:撤回|收回|收缴|取消|终止|暂停|中止|冻结|关闭)|已经?(?:降级|责令停[业产])|主动放弃|^无效$|已于[0-9年月日./-]*(?:转出|迁出))"
)
#: What takes such a word back: it did not happen, will happen on a condition, or ended.
NOT_ENDING: Final = (
    r"(?:未|无|没有|不予|不得|不|非|免于|免予|解除|恢复|(?<!许)可以?|应当?|将会?)(?:被|予以|予|曾|经|依法)*",
    r"(?<!已)(?<!已经)(?:逾期|过期|到期)(?:后|自动|自行|即|则)*",
)
#: Services that a business renders (注销登记代理, 代办注销), and a clause on a condition. A kind of
#: business (餐饮服务) and a place (如东县) are neither.
NO_ENDING: Final = (
    rf"{ENDING_WORDS}(?:登记|手续)?(?:代理|代办|咨询|服务)",
    r"(?<![已被])代(?:理|办|为)[^。;,]*",
    r"(?:如(?![下皋东])|若(?!羌)|凡(?!人)|否则|一经)(?:(?!已|现|目前)[^。;])*",
)
#: What ended is an older paper (原证作废, 注销原证), and not 注销原因 or 原食药监局注销; and one that a new
#: one stands for (遗失作废，已补发).
_OLD: Final = (
    "[原旧](?!因|发证|许可机关|核发|审批|登记机关)[^。;,]{0,12}(?:[证照批号本件0-9]|许可|资质)"
)
_OLD_FIRST: Final = f"{_OLD}[^。;,局厅委]{{0,40}}{ENDING_WORDS}|[原旧]{ENDING_WORDS}"
OLDER_PAPER: Final = f"{_OLD_FIRST}|{ENDING_WORDS}[^,;。]{{0,6}}{_OLD}"
REPLACED_PAPER: Final = "(?:(?<![目此之日先当])前|遗失|正本|副本)[^。;,]{0,40}"
NEW_PAPER: Final = "换发|补发|补办|补领|补证|换证|换领|换新|新证|新发|重新核发|变更|延续|续期"
#: No new paper: 未延续, 未按期换证.
NO_NEW_PAPER: Final = f"(?:未|不|没有|逾期)[^。;,]{{0,6}}(?:{NEW_PAPER})"

_BEFORE: Final = (
    "(?:该|本|此|上述|企业|单位|行政|许可|证书|证照|资质|执照|证|件|已经|已|现|依法|主动|自愿|予以|申请|准予|决定"
    "|[于因由自被]|[0-9年月日./-])*+"
)
#: What a remark says of the licence it stands beside, at its head: 该许可证已于2026年3月吊销. An older
#: one (原证已注销, 注销原证) is another.
ENDING_REMARK: Final = (
    rf"^{_BEFORE}(?:(?<=[于因由自被])[^,;。原旧]{{1,20}}?)?{_BEFORE}"
    r"(撤销|注销|吊销|撤回|收回|缴销|作废|废止|暂扣)(?![^,;。]{0,6}[原旧](?!因))"
)


@cache
def alike(word: str) -> tuple[str, ...]:
    """Return the words that mean the kind of penalty a word names, itself included.

    A word that holds a word of a kind, or is held by one, is of that kind: 责令停产停业 and 停产 are
    both what 停业整顿 is.
    """
    found = [
        other for kind in KINDS if any(one in word or word in one for one in kind) for other in kind
    ]
    return tuple(dict.fromkeys((word, *found)))
