"""Fields of what the pipeline context owns: products and deals."""

from __future__ import annotations

from typing import Final

from crm_console.importing.fields.field import Field, FieldType, Kind, synonyms

_CURRENCY: Final = Field(
    "currency", FieldType.CURRENCY, "ISO currency", "币种", synonyms("currency code|货币|货币代码")
)

PRODUCTS: Final = Kind(
    "products",
    (
        Field(
            "key",
            FieldType.KEY,
            "id in the source system",
            "来源系统中的编号",
            synonyms("product id|sku|product code|item number|stock code|id|产品编号|商品编码"),
        ),
        Field(
            "name",
            FieldType.TEXT,
            "name of the product",
            "产品名称",
            synonyms(
                "product name|product|item|item name|title|description|产品|商品名称|商品|名称"
            ),
            required=True,
        ),
        Field(
            "series",
            FieldType.TEXT,
            "series or category",
            "系列",
            synonyms(
                "product line|product family|family|category|product category|类别|产品线|分类"
            ),
        ),
        Field(
            "price",
            FieldType.MONEY,
            "list price",
            "标价",
            synonyms("sales price|list price|unit price|retail price|amount|价格|单价|售价"),
        ),
        _CURRENCY,
    ),
    named_by="name",
)

DEALS: Final = Kind(
    "deals",
    (
        Field(
            "key",
            FieldType.KEY,
            "id in the source system",
            "来源系统中的编号",
            synonyms("opportunity id|deal id|record id|opportunity number|id|商机编号|商机id|编号"),
        ),
        Field(
            "title",
            FieldType.TEXT,
            "title",
            "商机名称",
            synonyms("deal name|opportunity name|opportunity|deal|name|subject|商机|名称|标题"),
        ),
        Field(
            "customer",
            FieldType.TEXT,
            "name of the customer's organisation",
            "客户",
            synonyms(
                "account|account name|customer name|company|company name|organisation",
                "organization|client|associated company|客户名称|公司|公司名称",
            ),
        ),
        Field(
            "owner",
            FieldType.TEXT,
            "member of staff in charge",
            "负责人",
            synonyms(
                "sales agent|deal owner|opportunity owner|sales rep|sales representative|agent",
                "salesperson|assigned to|rep|销售|销售员|负责人姓名|跟进人|所有人",
            ),
        ),
        Field(
            "product",
            FieldType.TEXT,
            "name of the product",
            "产品",
            synonyms("product name|item|产品名称|商品"),
        ),
        Field(
            "stage",
            FieldType.STAGE,
            "where it stands; needs --stages",
            "阶段",
            synonyms(
                "deal stage|opportunity stage|stage name|sales stage|status|state|销售阶段|状态"
            ),
        ),
        Field(
            "opened_at",
            FieldType.TIME,
            "when it was opened",
            "开启时间",
            synonyms(
                "engage date|opened|open date|created at|created|create date|created date",
                "date created|creation date|start date|date+time|date|创建时间|创建日期|日期",
            ),
        ),
        Field(
            "closed_at",
            FieldType.TIME,
            "when it was won or lost",
            "关闭时间",
            synonyms(
                "close date|closed|closed date|date closed|end date|成交日期|关闭日期|结束时间"
            ),
        ),
        Field(
            "amount",
            FieldType.MONEY,
            "value of the deal",
            "金额",
            synonyms(
                "close value|deal value|deal amount|value|revenue|price|预计金额|成交金额|商机金额"
            ),
        ),
        _CURRENCY,
        Field(
            "source",
            FieldType.LABEL,
            "where it came from",
            "来源",
            synonyms("lead source|deal source|original source|channel|商机来源|渠道"),
        ),
        Field(
            "campaign",
            FieldType.LABEL,
            "campaign it came from",
            "活动",
            synonyms("campaign name|primary campaign source|市场活动|活动名称"),
        ),
        Field(
            "expected_close",
            FieldType.DATE,
            "day it is expected to close",
            "预计成交日期",
            synonyms(
                "expected close date|forecast date|estimated close date|预计成交时间|预计关闭日期"
            ),
        ),
        Field(
            "lost_reason",
            FieldType.TEXT,
            "why it was lost",
            "丢单原因",
            synonyms("loss reason|reason lost|closed lost reason|reason|失败原因|输单原因"),
        ),
    ),
    one_of=("key", "title", "customer", "owner", "product", "amount"),
)
