"""A text as words are looked for in it: folded, with old signs and slips of the pen made plain.

`schemas.folding` makes keys and must not change; this is for looking alone. What departments write
for one word is led back to it: 吊銷, 撒销, 吊·销 and 吊(销) to 吊销 and 撤销; 没收许可证, 上交许可证 to what takes
a certificate; 不准予延期 to 不予延续. What such a word says of another thing is taken out: 撤销处罚决定,
注销分公司. The patterns have no look-around, so that both engines read them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import polars as pl

from schemas.folding import fold, fold_text

#: Signs of before 《简化字总表》 (1986), each with its own, as far as the words looked for have them.
_OLD: Final = (
    "銷產業許證執關閉營頓罰沒經廢繳註暫凍結終從資質書級弔責無總單處專變減駁轉續過隊權項門繼"
    "換飲廳農獸種飼電氣熱礦體場築設計車輛運輸驗檢測環藥醫療師館節構標準務類裝規員歸還遺貨銀險"
)
_NEW: Final = (
    "销产业许证执关闭营顿罚没经废缴注暂冻结终从资质书级吊责无总单处专变减驳转续过队权项门继"
    "换饮厅农兽种饲电气热矿体场筑设计车辆运输验检测环药医疗师馆节构标准务类装规员归还遗货银险"
)
_SIGNS: Final[dict[str, str]] = dict(zip(_OLD, _NEW, strict=True))
_PAPER: Final = "(许可证|许可|执照|证照|证件|资质证书|资格证书|证书|资质|资格)"
_THUS: Final = "((?:正副本|正本|副本|予以|依法|一并|全部|限期|均|被|已经|已|现)*)"
_BRANCH: Final = "(分公司|分支机构|分店|分厂|分部|办事处|代表处)"
#: What may be stopped while the business goes on.
_NARROW: Final = (
    "违法行为|违规行为|侵权行为|违法|违规|非法|侵|使用|发布|施工|建设|作业|装修|燃放|排放|排污|占|收取|收费|收款|生产(?:该|涉案|不|上述|这)|采购|购进|"
    "转让|转移|出售|销售|出厂|虚假|宣传|广告|夜间|噪|播|刊|传播|用地|行为|进口|加工(?:该|涉案)|进货|雇|聘|招用|倾倒|堆放|焚烧|"
    "开挖|破坏|捕|喷|扰|拖欠|克扣|推送|强制|搭售|捆绑|参与|参加|投标|申请|高消费|驾|通行|进入|支付"
)
#: Patterns of the folded text, in their order, and what stands for each.
_SPELT: Final = (
    (r"([吊撤撒注缴收暂作])[·•.\-_*()'\"~|]{1,2}([销消回缴扣废])", "$1$2"),
    ("撒[销消]", "撤销"),
    # Of another thing than the licence: the penalty itself, a suit, a branch, an advertisement.
    ("(?:撤销|撤消)(?:原|该|本|上述|此前|作出|的|对其|行政)*处罚的?(?:决定书?)?", ""),
    ("(起诉|诉讼|复议)([^。;证许资照]{0,14})(?:撤销|撤消|撤回)", "$1$2"),
    (
        "(?:注销|撤销|撤回|吊销|关闭|停业)(?:其|了|一家|所属|下属|该|公司|[0-9一二两三四五六七八九十]+[家个])*"
        f"{_BRANCH}(?:登记|营业执照|执照)?",
        "$1",
    ),
    (
        "(?:撤销|撤除|撤回|停止|停用)(?:该|其|违法|虚假|发布|的)*(广告|招牌|商标|信息|报道|文章)",
        "$1",
    ),
    (
        "关闭(?:该|其|违法|违规|相关|的)*(排污口|排水口|排放口|阀门|闸门|网页|链接|账号|"
        "公众号|通道|电源|设备|音响|摄像头|直播)",
        "$1",
    ),
    # What is against the law may not go on: that stops no business.
    (
        "(停止|中止|终止|禁止|不得)((?:该|其|上述|相关|一切|继续|再|从事|实施|进行)*"
        "(?:违法|违规|非法|侵权|不正当|虚假|超范围|超越)[^。;,并停吊撤注暂歇关]{0,8}?(?:经营|营业|生产|承接|承揽))",
        "$1:$2",
    ),
    # Goods that may not be sold, and what nobody may do without a licence.
    (
        "(?:不得|禁止)(?:再|继续|生产|经营|销售|或|、)+"
        "(?:不合格|不符合|超过|过期|假|劣|伪|三无|违禁|禁止|未经|无证|该批|上述|涉案|问题)[^。;,]*",
        "",
    ),
    ("(?:未经|未取得|没有)[^。;,]{0,16}不得[^。;,]*", ""),
    # What takes a certificate, in other words.
    (f"没收([^。;,、伪假冒变违得物款]{{0,12}}?){_PAPER}", "收缴$1$2"),
    (f"{_PAPER}{_THUS}没收($|[。;,、)])", "$1$2收缴$3"),
    (
        f"(?:上交|上缴|扣缴|追回|收去|收走|交出|撤除|废除)([^。;,、财国税款物得]{{0,12}}?){_PAPER}",
        "缴回$1$2",
    ),
    (
        f"{_PAPER}{_THUS}(?:上交|上缴|扣缴|追回|回收|收去|收走|交出|报废)($|[。;,、)])",
        "$1$2缴回$3",
    ),
    (
        "(^|[。;,、])(?:并|予以|处以?|依法|责令)*(?:销证|收证|缴证|[摘吊收撤销]牌)(?:处理)?($|[。;,、])",
        "$1吊证$2",
    ),
    (
        "(^|[。;,、])(?:并|予以|处以?|依法|责令|强制|限期)*清退(?:处理|市场|出市)?($|[。;,、])",
        "$1退出市场$2",
    ),
    (
        "(取消|收回|剥夺|终止|解除|注销)([^。;,、证照投标]{0,8}?)(经营权|经营资格|承包资格|定点|备案|特许)",
        "撤销许可,$1$2$3",
    ),
    ("不再有效", "失效"),
    # What stops or restricts a business, in one order of its words.
    (
        "(停止|暂停|中止|终止|禁止|限制|不得|不准|不再|不允许|严禁)([^。;,、:证照]{0,10}?)(经营|营业|生产|承接|承揽|"
        "执业|行医|诊疗|营运|销售活动|接待|医疗|办学|招生|采矿|开采|勘查|开业|演出|接单|接诊|运营|办理|服务|一切活动|全部活动|新业务)"
        "(活动|业务|[^。;,、许可]{0,6}(?:工程|项目|任务)|[0-9一二两三四五六七八九十半]|$|[。;,、)])",
        "$1经营,$1$2$3$4",
    ),
    # Whatever else is stopped may be the business; not goods, a thing, an act, a building site.
    (
        f"((?:停止|暂停|中止|禁止|不允许|严禁)(?:该|其|你|单位|公司|上述|相关|一切|继续|再|从事|实施|进行|擅自|任何)*(?:{_NARROW}))",
        "$1|",
    ),
    (
        "(停止|暂停|中止|禁止|不允许|严禁)([^。;,、:|证照许资]{1,14})($|[。;,、)])",
        "$1经营,$1$2$3",
    ),
    ("(限期|强制|逐)(?:其)?(?:退出|出)(?:市场)?($|[。;,、)])", "$1退出市场$2"),
    ("承揽", "承接"),
    ("([0-9一二两三四五六七八九十]+年内?|终身|永久)(?:不予|不再?|不得)受理", "$1不得申请"),
    ("不(?:准)?予[^。;,、]{0,10}?(?:延续|延期|续期|换证)", "不予延续"),
    ("降(?:为|至|成)([^。;,、元]{0,14}?[级甲乙丙丁])", "降级$1"),
)
#: Old signs, as they are written: for sorting out what needs no reading.
OLD_SIGNS: Final = tuple(_SIGNS)
#: What may part a word, or stand for one of its signs, until a text is folded; title marks too.
UNFOLDED: Final = (
    r"[\p{Z}\p{C}\x{034F}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180D}\x{2010}-\x{203A}\x{2212}"
    r"\x{2500}\x{2E3A}-\x{2FDF}\x{3008}-\x{300B}\x{301C}\x{30FC}\x{3164}\x{3200}-\x{33FF}\x{F900}-\x{FAFF}"
    r"\x{FE00}-\x{FE0F}\x{FF07}\x{FF0A}-\x{FF0B}\x{FF0D}-\x{FF0E}\x{FF21}-\x{FF5E}\x{FFA0}\x{E0100}-\x{E01EF}«»]"
)
_PLAIN: Final = str.maketrans(_SIGNS)
_PATTERNS: Final = [(re.compile(one), made.replace("$", "\\")) for one, made in _SPELT]
_COLUMN: Final = [(one, re.sub(r"\$([0-9])", r"${\1}", made)) for one, made in _SPELT]


def plain_signs(folded: str) -> str:
    """Return a text with the signs of today."""
    return folded.translate(_PLAIN)


@lru_cache(maxsize=1024)  # each penalty is read for every licence
def worded(text: str) -> str:
    """Return a text as words are looked for in it."""
    made = plain_signs(fold_text(text))
    for pattern, other in _PATTERNS:
        made = pattern.sub(other, made)
    return made


def signs_of_today(expr: pl.Expr) -> pl.Expr:
    """Return the strings of `expr` with the signs of today, as `plain_signs` writes them."""
    return expr.str.replace_many(_SIGNS)


def worded_column(expr: pl.Expr) -> pl.Expr:
    """Return the strings of `expr` as `worded` writes them; String, null stays null."""
    made = signs_of_today(fold(expr))
    for pattern, other in _COLUMN:
        made = made.str.replace_all(pattern, other)
    return made
