"""National code lists that claims draw from: a value is a code, or the Chinese name it stands for."""

from collections.abc import Collection, Mapping

SEXES = ("0", "1", "2", "9", "男", "女", "男性", "女性", "未知的性别", "未说明的性别")  # GB/T 2261.1

_ETHNIC_NAMES = (  # GB/T 3304, in the order of its codes 01 to 56
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇"
    " 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京"
    " 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺"
)
ETHNIC_GROUPS = tuple(_ETHNIC_NAMES.split())
OTHERS = ("97", "98", "其他", "外国血统中国籍人士")  # not yet identified; of foreign descent

EDUCATION = {  # GB/T 4658: the ten large classes; a code's second digit says how it was left
    "1": "研究生教育 博士研究生 硕士研究生 博士 硕士 研究生",
    "2": "大学本科教育 大学本科 本科",
    "3": "大学专科教育 大学专科 专科 大专",
    "4": "中等职业教育 中等专科 职业高中 技工学校 中专 技校",
    "6": "普通高级中学教育 普通高中 高中",
    "7": "初级中学教育 初中",
    "8": "小学教育 小学",
    "9": "其他 文盲或半文盲",
}


def _ethnic_groups() -> frozenset[str]:
    codes = [f"{number:02d}" for number in range(1, len(ETHNIC_GROUPS) + 1)]
    return frozenset([*codes, *ETHNIC_GROUPS, *(f"{name}族" for name in ETHNIC_GROUPS), *OTHERS])


def _education() -> frozenset[str]:
    codes = [f"{first}{second}" for first in EDUCATION for second in range(10)]
    names = [name for names in EDUCATION.values() for name in names.split()]
    return frozenset([*codes, *names, *(f"{name}毕业" for name in names)])


CODE_LISTS: Mapping[str, Collection[str]] = {
    "code:GB/T2261.1": frozenset(SEXES),
    "code:GB/T3304": _ethnic_groups(),
    "code:GB/T4658": _education(),
}
"""Kind of claim → every value it may hold."""
