"""The words by which documents and remarks say that a licence has ended, as patterns.

行政许可法 art. 69-70 (撤销, 注销), 行政处罚法 (2021) art. 9 (吊销, 暂扣), and the synonyms and slips of
the pen of 双公示 exports. All are looked for in the text of `schemas.wording.worded`: no blanks, no
line breaks, one width, slips of the pen made plain. `flows.answer.ending` reads by them.
"""

from __future__ import annotations

from typing import Final

#: A text without any of these, and without `UNRENEWED`, says of no licence that it has ended.
VERBS: Final = (
    *("撤销", "撤消", "注销", "注消", "吊销", "吊消", "撤回", "收回", "收缴", "缴销"),
    *("缴回", "交回", "作废", "废止", "失效", "无效", "终止", "取消", "暂扣", "吊扣"),
    *("暂停", "中止", "停用", "停业", "停产", "歇业", "取缔", "关闭", "吊照", "吊证"),
    *("撤证", "退证", "扣留", "扣押", "冻结", "降级", "降低", "转出", "迁出", "放弃"),
    *(
        "停牌",
        "上交",
        "上缴",
        "扣缴",
        "扣证",
        "有效:",
        "有效：",
        "已过期",
        "已到期",
        "届满",
        "破产",
    ),
    *(
        "解散",
        "不再",
        "除名",
        "清算",
        "迁往",
        "REVOKE",
        "CANCEL",
        "撤(",
        "撤（",
        "撤〔",
        "撤[",
        "撤【",
        "撤字",
        "撤决",
    ),
    *(
        "吊(",
        "吊（",
        "吊〔",
        "吊[",
        "吊【",
        "吊字",
        "吊决",
        "撒销",
        "撒消",
        "没收",
        "追回",
        "收去",
        "收走",
        "交出",
    ),
    *("撤除", "废除", "报废", "降为", "降至", "降成", "销证", "收证", "缴证", "转让", "销户"),
    *("下落", "失联", "失去联系", "联系不上", "无法联系", "去楼空", "查无"),
    *("ZHUXIAO", "DIAOXIAO", "CHEXIAO", "ZUOFEI", "SHIXIAO", "已ZX", "已DX", "已CX"),
    *("注(", "注（", "注〔", "注[", "注【", "注字", "注决"),
    *("核销", "销号", "停办", "灭失", "关停", "退出", "清出", "不续", "停止", "终结"),
    *("摘牌", "吊牌", "收牌", "撤牌", "销牌", "剥夺", "解除"),
    *("企业申请", "单位申请", "公司申请", "主动申请", "自愿申请", "自行申请"),
)
#: 不予延续, 不准予延期, 到期未换证; 吊·销.
UNRENEWED: Final = (
    "(?:不|未|没有)[^。;,]{0,20}(?:延续|延期|续期|换证)"
    r"|[吊撤撒注缴收暂作][·•.\-_*()（）'\"~|]{1,2}[销消回缴扣废]"
    r"|(?:^|。)[XxＸｘ×✕✗╳ ]+(?:。|$)"
)
#: Each of them has one of these signs, which are rarer than their first.
SIGNS: Final = tuple(
    "撤注销吊废缴失效终取暂停歇缔闭照退扣冻降迁弃牌届散再没追撒过期破除算延续换转止收回交走查联去请让落夺清Xx×✕✗╳ＸｘZzＺｚRCECrcecＲＣｒｃ"
)


#: What a decision about a licence is called that ends it, at the head of its content
#: (行政许可法 art. 69-70): the document is in force, and the licence is not.
_PAPER: Final = "(?:许可|资质|资格|证书|证照|证件|执照)"
DOCUMENT: Final = (
    r"^(?:关于|准予|同意|决定|依法|予以|依申请|申请|行政许可|许可|证书|证照|主动|逾期|到期|期满|代为|强制|依职权|"
    r"应予|应当|已经|已|被|现|的)*(?:"
    r"(撤销|撤消|注销|注消|吊销|吊消|撤回|收回|缴销|作废|废止|暂扣|不予延续)"
    r"(?!(?:登记|手续)?(?:代理|代办|咨询|服务))|"
    rf"(收缴|缴回|交回|取消|终止|暂停|中止|失效|无效|停用|吊扣|扣留|歇业|停业)[^。;,]{{0,20}}{_PAPER})"
)
#: Numbers of such documents: 示许撤〔2026〕9号, 示许注销〔2026〕9号.
NUMBER: Final = r"(注销|撤销|撤回|吊销|撤|吊|注)[字决]?\("
#: The same anywhere in the name of a document or certificate: 食品经营许可注销决定书.
TITLE: Final = (
    "(撤销|撤消|注销|注消|吊销|吊消|撤回|收回|收缴|缴销|作废|废止|失效|终止|取消|暂扣|吊扣|暂停|中止|无效|"
    "停用|停业|停产|停办|歇业|取缔|责令关闭|关闭(?:决定|通知|公告)|关停|核销|销号|灭失|退出|清出|终结|不再延续|不续|"
    "停止(?:经营|营业|使用|执业)|吊照|吊证|撤证|缴回|交回|扣留|扣押|冻结|降级|降低|不予延续|"
    "(?:到期|逾期|期满|届满)[^。;,]{0,8}未[^。;,]{0,6}延续)"
)
#: The same in a remark or in what a licence permits: 该证已于2026年4月1日被吊销. Words that also stand in
#: a scope for what a business does (失效分析, 暂停) do not count.
WORDS: Final = (
    "(?:撤销|撤消|注销|注消|吊销|吊消|缴销|作废|暂扣|吊扣|"
    "失效(?!分析|检测|研究|机理|评估|日期|时间|模式|报警)|"
    "已经?被?(?:撤回|收回|收缴|缴回|交回|取消|终止|停用|暂停|中止|冻结|废止|关闭)|"
    "已经?(?:停业|歇业|退证|撤证|转出|迁出)|"
    "(?:许可|资质|资格|证|证书|证照|照)(?:已经?|现)?被?"
    "(?:撤回|收回|收缴|缴回|交回|取消|终止|停用|暂停|中止|冻结|废止|无效)|"
    "被(?:撤回|收回|收缴|取消|终止|暂停|中止|冻结|关闭)|已经?(?:降级|责令停[业产])|主动放弃|(?:^|[(。;,])无效(?=[)。;,]|$)|已于[0-9年月日./-]*(?:转出|迁出)|"
    "(?:收缴|缴回|取消)[^。;,、]{0,8}(?:许可|资质|资格|证书|证照|证件|执照)|REVOKE|CANCEL|除名|"
    "不予延续|(?:到期|逾期|过期|期满|届满)[^。;,]{0,8}(?:未|没有)[^。;,]{0,6}(?:延续|延期|续期|换证)|"
    "已(?:过期|到期|届满)(?![食药产商物品])|有效:(?:否|无|N|0)|(?:已|被|宣告)(?:破产|解散)|"
    "不再(?:持有|具有|具备|享有|符合[^。;,]{0,6}条件)|已经?被?转让|吊证|吊照|撤证|已?销户|"
    # Whom nobody finds: 市场主体 that cannot be reached at its address is one in doubt.
    "查无下落|下落不明|查无此|失联|失去联系|联系不上|无法(?:与其|取得)?联系|人去楼空|"
    # Typed by its sound, or by the first letters of it.
    "ZHUXIAO|DIAOXIAO|CHEXIAO|ZUOFEI|SHIXIAO|已(?:ZX|DX|CX)|"
    # Who asked for it, where nothing says for what: so an ending is reasoned.
    r"(?:^|\()(?:企业|单位|公司|持证人|主动|自愿|自行)+(?:主动|自愿|自行|提出|书面)*申请(?:$|\))|"
    r"(?:^|[(。;,])(?:已经?|现|目前)?(?:停业|停产|歇业|停用|停牌|关闭|冻结|转出|迁出|降级|收缴|上交|上缴|扣证|退证|暂停|中止|终止|清算|迁往[^。;,]{0,8})"
    r"中?(?:$|[)。;,])|^[X×✕✗╳]+$)"
)
#: What takes such a word back: it did not happen, will happen on a condition, or ended.
NOT_ENDING: Final = (
    r"(?:未|无|没有|不予|不得|不含|不|非|免于|免予|解除|恢复|(?<!许)可以?|(?<=[的者],)应当?|将会?)"
    r"(?:被|予以|予|曾|经|依法|已)*",
    r"(?<!已)(?<!已经)(?:逾期|过期|到期)(?:(?:后|自动|自行|即|则|将)+|(?=作废|失效|终止|无效))",
)
#: A suspension that is over: 暂扣期满，予以恢复.
OVER: Final = (
    "(?:暂扣|吊扣|暂停|中止|停业|停产|歇业|冻结)[^。;,]{0,6}(?:期满|届满|到期|结束)[^。;]{0,8}"
    "(?:恢复|发还|返还|解除)"
)
#: 有效期届满未延续的，自动失效: what every certificate says of the day after its last.
CONDITION: Final = (
    "[^。;]{0,12}(?:未|没有)[^。;,]{0,8}(?:延续|延期|续期|换证)"
    "[^。;,]{0,4}(?:的|者|则|即|将|自动)[^。;]*"
)
#: Services that a business renders (注销登记代理, 代办注销), and a clause on a condition. A kind of
#: business (餐饮服务) and a place (如东县) are neither.
NO_ENDING: Final = (
    rf"{WORDS}(?:登记|手续)?(?:代理|代办|咨询|服务)",
    r"(?<![已被])(?:代理|代办|代为办理)[^。;,]*",
    r"代为[^。;,]{0,12}(?:登记|手续|业务|服务)",
    CONDITION,
    r"(?:如(?![下皋东])|若(?!羌)|凡(?!人)|否则|一经)(?:(?!已|现|目前)[^。;])*",
)
#: What ended is an older paper (原证作废, 注销原证), and not 注销原因 or 原食药监局注销; and one that a new
#: one stands for (遗失作废，已补发).
_OLD: Final = (
    "[原旧](?!因|发证|许可机关|核发|审批|登记机关)[^。;,]{0,12}(?:[证照批号本件0-9]|许可|资质)"
)
_OLD_FIRST: Final = f"{_OLD}[^。;,局厅委]{{0,40}}{WORDS}|[原旧]{WORDS}"
OLDER_PAPER: Final = f"{_OLD_FIRST}|{WORDS}[^,;。]{{0,6}}{_OLD}"
#: An older paper with a number, and not with a year: 注销原许可证A-1, 原证2026年注销.
NUMBERED_PAPER: Final = (
    r"[原旧][^。;,0-9A-Z]{0,12}(?:[证照号件]|许可|资质)[为:]*"
    r"[(〔\[]?(?![0-9]{4}年)[A-Z0-9][A-Z0-9-]"
)
#: It was changed or given anew before: the paper that was taken back then may be this one.
CHANGED_BEFORE: Final = (
    "^已经?(?:变更|换发|换证|换领|延续|补发|补办)(?:了?新证)?[,;。]?"
    "[原旧本此该](?:证|件|许可证)[^。;,]{0,6}(?:收回|收缴|交回|缴回|注销|作废|失效)"
)
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
REMARK: Final = (
    rf"^{_BEFORE}(?:(?<=[于因由自被])[^,;。原旧]{{1,20}}?)?{_BEFORE}"
    r"(撤销|注销|吊销|撤回|收回|缴销|作废|废止|暂扣)(?![^,;。]{0,6}[原旧](?!因))"
)
_CLOSED: Final = "(注销|吊销|撤销|歇业|停业|清算|解散|除名)"
_OF_IT: Final = "(?:该|本)?(?:企业|公司|单位|主体)?(?:已经?|现|被|依法)"
#: What one of its texts says in brackets, where they may also stand for what it does: (注销、变更).
CLOSED_BESIDE: Final = rf"\({_OF_IT}+{_CLOSED}[^()]*\)"
#: What the register writes into an enterprise's name that is no part of it: 示范有限公司（已注销）.
CLOSED_NAME: Final = rf"\({_OF_IT}*{_CLOSED}[^()]*\)"
#: The same as the whole of another text of its entry.
CLOSED_TEXT: Final = rf"^\(?{_OF_IT}+{_CLOSED}\)?$"

#: Signs of an ending in a remark, in whatever words it is told: 门店已关, 停办, 销号, 已吊, 证停, 不再续. A clerk's
#: words are never all known; what has such a sign and is not known as harmless is left to a person.
IN_DOUBT: Final = (
    "[停关撤销废吊注退缴扣封终弃缔破迁搬失歇]|清算|清退|清出|清零|清场|清理出|解散|散伙|遣散|收走|"
    "已收|收了|暂不|不再|不续|不用了|不存在|不办|不干|不做了|未续|没有?续|"
    "未年检|未年审|未换证|未办延续|无证|无照|无效|已?过期$|已?到期$|证书?(?:已?过期|已?到期)|过期未|到期未|结业|取消|"
    "转让|转出|转租|重整|合并|并入|死亡|去世|跑路|空置|拆除|倒闭|查封|降级|除名|交回|交局|作古|"
    "冻结|暂扣|中止|"
    "VOID|EXPIRE|CLOSED|INVALID|INACTIVE|TERMINAT|SUSPEND|^(?:ZX|DX|CX|ZF|SX|TY|GQ)$"
)
#: Words with such a sign that tell of no ending.
HARMLESS: Final = (
    "注:|注记|遗失[^。;,]{0,4}[补换]|中止审查|停车|停放|停留|停靠|停机坪|注册|备注|注明|注意|注释|"
    "标注|批注|附注|加注|注浆|灌注|注塑|注射|关于|相关|有关|机关|海关|关键|关联|关节|关系|关注|"
    "开关|销售|经销|营销|促销|直销|分销|产销|购销|代销|展销|销往|外销|内销|行销|吊装|吊车|吊顶|吊篮|起吊|"
    "废旧|废弃|废物|废品|废水|废气|废料|废油|废钢|废铁|废纸|报废(?:汽车|机动车)|危废|固废|"
    "退役|退休|退税|退货|退伍|缴费|缴纳|缴款|已缴(?:款|费|清|税)|免缴|预缴|实缴|认缴|补缴|扣除|扣件|密封|封装|封面|封样|塑封|封闭式|退回补正|退件[^。;,]{0,4}补正|失效日期|城关|韶关|潼关|嘉峪关|山海关|关岭|[东西南北]关|"
    "关中|开封|封丘|封开|宿迁|迁安|迁西|(?:撤回|撤销)[^。;,]{0,4}重新申请|"
    "终端|终身|始终|最终|终审|破碎|破损|缔结|"
    "迁入|迁址|地址迁移|住所迁移|迁移地址|搬运|搬家|失业|失信(?:记录)?|不再收取|无证明|无证据|无效成分|"
    "(?:无需|无须|不用|不需)[^。;,]{0,4}(?:注销|退|缴|换证)|取消(?:限制|收费|备注)|"
    "(?:未|无|没有|不存在|未见)(?:发现|被|有|办理|申请|曾|任何)*[停关撤销废吊注退缴扣封终弃缔破清散迁搬失歇]+"
)
