"""Fields of orders, which pipeline owns: what customers bought."""

from __future__ import annotations

from typing import Final

from crm_console.importing.fields.field import Field, FieldType, Kind, synonyms

_CURRENCY: Final = Field(
    "currency", FieldType.CURRENCY, "ISO currency", "币种", synonyms("currency code|货币|货币代码")
)

ORDERS: Final = Kind(
    "orders",
    (
        Field(
            "key",
            FieldType.KEY,
            "id in the source system",
            "来源系统中的编号",
            synonyms("row id|order id|order number|order no|invoice no|invoice|id|订单号|订单编号"),
        ),
        Field(
            "customer",
            FieldType.TEXT,
            "id or name of the customer",
            "客户",
            synonyms(
                "customer id|customer number|customer name|client id|client|user id|account",
                "buyer|客户编号|客户姓名|客户名称|会员号|买家",
            ),
            required=True,
        ),
        Field(
            "ordered_at",
            FieldType.TIME,
            "when it was ordered",
            "下单时间",
            synonyms(
                "order date|order time|order timestamp|purchase date|order purchase timestamp",
                "invoice date|transaction date|date+time|date|created at|created",
                "下单日期|订单日期|订单时间|购买日期|日期+时间|日期",
            ),
            required=True,
        ),
        Field(
            "amount",
            FieldType.MONEY,
            "total of the order",
            "金额",
            synonyms(
                "order amount|total amount|total|order total|order value|dollar value|sales",
                "revenue|value|payment value|price|订单金额|总金额|实付金额|消费金额",
            ),
            required=True,
        ),
        _CURRENCY,
        Field(
            "quantity",
            FieldType.NUMBER,
            "number of pieces",
            "数量",
            synonyms("qty|units|number of items|items|number of cds|件数"),
        ),
        Field(
            "product",
            FieldType.TEXT,
            "name of the product",
            "产品",
            synonyms("product name|item|item name|description|产品名称|商品|商品名称"),
        ),
        Field(
            "source",
            FieldType.LABEL,
            "channel or shop",
            "来源",
            synonyms("channel|sales channel|shop|store|订单来源|渠道|店铺"),
        ),
        Field(
            "region",
            FieldType.TEXT,
            "region",
            "区域",
            synonyms("territory|area|state|province|city|country|地区|省份|城市"),
        ),
        Field(
            "segment",
            FieldType.TEXT,
            "segment",
            "客群",
            synonyms("customer segment|客户分类|客户类型"),
        ),
    ),
)
