"""What the front page leads to."""

PLACES = (
    {"address": "/w", "name": "我的钱包", "about": "查看、出示自己和家人、企业的证照。"},
    {"address": "/c", "name": "窗口核验", "about": "窗口、学校和自助机扫码核验。"},
    {"address": "/console", "name": "工作台", "about": "机关工作人员签发和管理证照。"},
    {"address": "/operator", "name": "运营台", "about": "运营、审计和支持人员。"},
    {"address": "/docs", "name": "接口文档", "about": "各机关和核验方系统对接。"},
    {"address": "/problems", "name": "原因代码", "about": "每个代码的含义和下一步怎么办。"},
)
