"""Fields of what the contacts context owns: staff, organisations and leads."""

from __future__ import annotations

from typing import Final

from crm_console.importing.fields.field import Field, FieldType, Kind, synonyms

STAFF: Final = Kind(
    "staff",
    (
        Field(
            "key",
            FieldType.KEY,
            "id in the source system",
            "来源系统中的编号",
            synonyms("staff id|employee id|agent id|user id|id|工号|员工编号|编号"),
        ),
        Field(
            "name",
            FieldType.TEXT,
            "full name",
            "姓名",
            synonyms(
                "full name|first name+last name|staff name|staff|employee name|employee",
                "sales agent|sales rep|sales representative|agent name|agent|rep|user name|user",
                "员工姓名|员工|销售员|销售姓名|客服",
            ),
            required=True,
        ),
        Field(
            "manager",
            FieldType.TEXT,
            "name of the manager",
            "上级",
            synonyms("manager name|sales manager|supervisor|team lead|reports to|经理|主管"),
        ),
        Field(
            "team", FieldType.TEXT, "team", "团队", synonyms("team name|department|group|部门|小组")
        ),
        Field(
            "region",
            FieldType.TEXT,
            "region or office",
            "区域",
            synonyms("regional office|office|territory|branch|location|地区|大区|办事处"),
        ),
        Field(
            "email",
            FieldType.TEXT,
            "e-mail",
            "邮箱",
            synonyms("e-mail|mail|email address|电子邮件"),
        ),
    ),
    named_by="name",
)

ORGANISATIONS: Final = Kind(
    "organisations",
    (
        Field(
            "key",
            FieldType.KEY,
            "id in the source system",
            "来源系统中的编号",
            synonyms("account id|organisation id|organization id|company id|customer id|id|编号"),
        ),
        Field(
            "name",
            FieldType.TEXT,
            "name of the organisation",
            "名称",
            synonyms(
                "account name|account|organisation|organization|organisation name",
                "organization name|company name|company|customer name|customer|client",
                "公司名称|公司|客户名称|客户|单位名称|企业名称",
            ),
            required=True,
        ),
        Field(
            "sector",
            FieldType.TEXT,
            "sector or industry",
            "行业",
            synonyms("industry|vertical|business|所属行业"),
        ),
        Field(
            "region",
            FieldType.TEXT,
            "region",
            "区域",
            synonyms(
                "territory|area|state|province|city|office location|location|country",
                "地区|省份|城市|国家",
            ),
        ),
        Field(
            "size",
            FieldType.TEXT,
            "number of employees, or a range",
            "规模",
            synonyms("employees|number of employees|employee count|headcount|员工数|人数|人员规模"),
        ),
        Field(
            "revenue",
            FieldType.MONEY,
            "revenue a year",
            "年营收",
            synonyms("annual revenue|turnover|sales|营收|年收入|营业额"),
        ),
        Field(
            "currency", FieldType.CURRENCY, "ISO currency", "币种", synonyms("currency code|货币")
        ),
        Field(
            "parent",
            FieldType.TEXT,
            "name of the parent organisation",
            "上级公司",
            synonyms("subsidiary of|parent account|parent company|parent name|母公司|集团"),
        ),
    ),
    named_by="name",
)

LEADS: Final = Kind(
    "leads",
    (
        Field(
            "key",
            FieldType.KEY,
            "id in the source system",
            "来源系统中的编号",
            synonyms("lead id|lead number|prospect id|contact id|record id|id|线索编号|编号"),
        ),
        Field(
            "name",
            FieldType.TEXT,
            "name of the person",
            "姓名",
            synonyms(
                "full name|first name+last name|lead name|contact name|contact|person",
                "客户姓名|联系人姓名|联系人|线索名称",
            ),
        ),
        Field(
            "email",
            FieldType.TEXT,
            "e-mail",
            "邮箱",
            synonyms("e-mail|mail|email address|e-mail address|电子邮件|电子邮箱"),
        ),
        Field(
            "phone",
            FieldType.PHONE,
            "telephone",
            "电话",
            synonyms(
                "mobile|phone number|telephone|mobile phone|tel|手机|手机号|联系电话|联系方式"
            ),
        ),
        Field(
            "company",
            FieldType.TEXT,
            "company of the person",
            "公司",
            synonyms("company name|organisation|organization|account|account name|公司名称|单位"),
        ),
        Field(
            "source",
            FieldType.LABEL,
            "where the lead came from",
            "来源",
            synonyms("lead source|original source|channel|origin|线索来源|渠道|来源渠道"),
        ),
        Field(
            "campaign",
            FieldType.LABEL,
            "campaign it answered",
            "活动",
            synonyms("campaign name|utm campaign|市场活动|活动名称"),
        ),
        Field(
            "owner",
            FieldType.TEXT,
            "member of staff in charge",
            "负责人",
            synonyms(
                "lead owner|contact owner|assigned to|sales agent|sales rep|销售|跟进人|所有人"
            ),
        ),
        Field(
            "captured_at",
            FieldType.TIME,
            "when it was captured",
            "获取时间",
            synonyms(
                "captured|created at|created|create date|created date|created time|date created",
                "date+time|date|lead date|dt customer|创建时间|日期+时间|日期|登记时间",
            ),
        ),
        Field(
            "status",
            FieldType.LABEL,
            "state of the lead",
            "状态",
            synonyms("lead status|state|线索状态"),
        ),
        Field(
            "region",
            FieldType.TEXT,
            "region",
            "区域",
            synonyms("territory|area|province|city|country|地区|省份|城市"),
        ),
        Field(
            "tags",
            FieldType.TAGS,
            "tags, separated by comma, semicolon or bar",
            "标签",
            synonyms("tag|labels|label|前置标签"),
        ),
    ),
    one_of=("name", "email", "phone", "company", "key"),
)
