"""The words by which penalties are told, as data: one table for both engines and the credit check.

Kinds: 行政处罚法 (2021) art. 9, in its order. The synonyms beside the law's own words are those that
decision documents and 双公示 exports use for the same kind: 《行政许可法》 art. 69-70 (撤销, 注销),
《安全生产许可证条例》 art. 14 ff. and 《建筑业企业资质管理规定》 (收回, 撤回, 降级), 《无证无照经营查处办法》
(取缔), 《环境保护法》 art. 60 (限制生产, 停产整治). All are looked for in the text folded by
`schemas.wording.worded`: no blanks, no line breaks, one width, slips of the pen made plain.
"""

from __future__ import annotations

from functools import cache
from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


#: What takes a certificate away for good, or makes it void.
_TAKEN_BACK: Final = _words(
    "吊销 吊消 撤销 撤消 注销 注消 收回 收缴 缴销 撤回 缴回 交回 吊照 吊证 撤证 撤照 "
    "不予延续 除名 取消登记"
)
#: What ends a licence for good, until somebody says that it was given back.
_TAKEN: Final = (
    *_TAKEN_BACK,
    *_words(
        "追缴 取消 废止 作废 失效 剥夺 终止 宣布无效 确认无效 宣告无效 许可无效 许可证无效 证书无效"
    ),
    *_words("资质无效 资格无效 REVOKE CANCEL"),
)
_LOWERED: Final = _words("降低 降级 降为 下调 核减 缩减")
#: A grade or a qualification that is lowered is taken away as well: a kind with those that take.
_LOWERED_GRADE: Final = _words("降低资质 降低等级 降低许可 降级 资质降 等级降")
#: What takes a licence away for a time.
_HELD: Final = _words("暂扣 吊扣 扣留 扣押 扣证 暂停 中止 冻结 封存 停牌 SUSPEND")
_STOPPED: Final = _words(
    "停产停业 停业 停产 停工 停止 停用 停厂 停店 停办 停驶 停航 停运 歇业 停牌 关停 "
    "暂停 中止 关门 禁止营业 不准营业 不得营业 禁止生产 禁止经营 不得经营 不得生产 不得继续经营 "
    "不得继续营业 不得继续生产 不得开展经营 终止经营 终止生产 终止营业 限制生产 限产 "
    "不允许经营 严禁经营 严禁营业 停诊 停采 停学 关店 关厂 闭店 封店 封门 闭门 封闭经营 退出市场 退市 "
    "停航 停飞 停驶 腾退 不得接收 不得招收"
)
_CLOSED: Final = _words("关闭 关停 取缔 查封 搬迁")
#: What ends a business, and so stops it.
_ENDED: Final = _words("关闭 取缔 搬迁")
_RESTRICTED: Final = _words(
    "限制开展生产经营 限制生产 限制经营 限制开展 限制业务 限产 限制营业 不得承接 限制承接 限制投标 "
    "禁止投标 禁止参加"
)
_BANNED: Final = _words(
    "限制从业 从业禁止 禁止从业 职业禁止 禁业 市场禁入 终身禁入 不得从事 不得申请 禁止从事 终身不得 "
    "限制从事 限制其从事"
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
    (*_TAKEN, *_LOWERED_GRADE),
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
#: What is done to a certificate, or stops, restricts or ends a business: where no certificate is named
#: it may be any. The others stop a licence only where they name it: a building site at rest (停工), a
#: machine that may not be used (停用) leave the licence as it is.
OF_CERTIFICATES: Final = (
    *_TAKEN_BACK,
    *_words(
        "暂扣 吊扣 停牌 降低 降级 取缔 责令关闭 依法关闭 予以关闭 关闭企业 关停 REVOKE SUSPEND"
    ),
    *_words("停产 停业 停办 歇业 停止经营 停止营业 停止生产 暂停经营 暂停营业 暂停生产"),
    *_words("中止经营 中止营业 中止生产 终止经营 终止营业 终止生产 禁止经营 禁止营业 禁止生产"),
    *_words("不得经营 不得营业 不得生产 不准经营 不准营业 不准生产 不得继续 不得开展 不得从事"),
    *_words("禁止从事 不得承接 禁止承接 限制承接 停止承接 暂停承接 禁业 市场禁入 关闭"),
    *_words("限制从业 从业禁止 禁止从业 职业禁止 限制从事 限制其从事"),
    *_words("限制开展 限制生产 限制经营 限制营业 限制业务 限产 停厂 停店 关门 不允许经营 严禁经营"),
    *_words(
        "严禁营业 停诊 停采 停学 关店 关厂 闭店 封店 封门 闭门 封闭经营 退出市场 退市 "
        "停航 停飞 停驶 腾退 不得接收 不得招收"
    ),
    *_words("核减经营 核减许可 缩减经营 缩减许可"),
)
#: What a violation tells of a licence that had been taken before: 食品经营许可证已被吊销后仍经营.
TAKEN_BEFORE: Final = _words("吊销 注销 撤销 吊銷 註銷 撤銷 吊消 撤消 注消 撒销 缴销")
ENDED_BEFORE: Final = (
    "[^。;,]{0,24}(?:许可证?|资质|资格|证书|证照|执照|证)[^。;,未]{0,8}(?:已经?|被|依法|遭)+(?:吊销|注销|撤销|缴销)"
    "|(?:已经?|被|依法|遭)+(?:吊销|注销|撤销|缴销)[^。;,未]{0,20}(?:许可证?|资质|资格|证书|证照|执照|证)"
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


@cache
def alike(word: str) -> tuple[str, ...]:
    """Return the words that mean the kind of penalty a word names, itself included.

    A word that holds a word of a kind, or is held by one, is of that kind: 责令停产停业 and 停产 are
    both what 停业整顿 is. An enterprise that was closed is stopped as well.
    """
    found = [
        other for kind in KINDS if any(one in word or word in one for one in kind) for other in kind
    ]
    graver = _ENDED if _STOPPED[0] in found else ()
    return tuple(dict.fromkeys((word, *found, *graver)))
