"""Fields of what the ticketing context owns: tickets, with the survey that rated them."""

from __future__ import annotations

from typing import Final

from crm_console.importing.fields.field import Field, FieldType, Kind, synonyms

TICKETS: Final = Kind(
    "tickets",
    (
        Field(
            "key",
            FieldType.KEY,
            "id in the source system",
            "来源系统中的编号",
            synonyms("call id|ticket id|ticket number|case id|case number|id|工单编号|工单号|编号"),
        ),
        Field(
            "customer",
            FieldType.TEXT,
            "id or name of the customer",
            "客户",
            synonyms(
                "customer name|customer id|requester|requester name|requester id|contact",
                "client|account|caller|客户姓名|客户名称|来电客户",
            ),
        ),
        Field(
            "agent",
            FieldType.TEXT,
            "member of staff who handled it",
            "处理人",
            synonyms(
                "agent name|assignee|assignee name|assignee id|assigned to|owner|handled by",
                "客服|坐席|负责人|处理人员",
            ),
        ),
        Field(
            "category",
            FieldType.LABEL,
            "topic or category",
            "类别",
            synonyms(
                "topic|ticket type|type|issue type|case type|reason|product|主题|分类|问题类型"
            ),
        ),
        Field(
            "channel",
            FieldType.LABEL,
            "how it came in",
            "渠道",
            synonyms("ticket channel|via channel|via|source|contact channel|来源|来源渠道"),
        ),
        Field(
            "opened_at",
            FieldType.TIME,
            "when it was opened",
            "开启时间",
            synonyms(
                "call date+call time|date+time|opened|open date|created at|created|create date",
                "created date|date created|call date|call timestamp|timestamp|date",
                "日期+时间|创建时间|提交时间|来电时间|反馈时间|日期",
            ),
        ),
        Field(
            "answered",
            FieldType.FLAG,
            "whether the call was answered",
            "是否接听",
            synonyms("answered (y/n)|call answered|接听|是否接通|接通"),
        ),
        Field(
            "resolved",
            FieldType.FLAG,
            "whether it was resolved",
            "是否解决",
            synonyms("resolved (y/n)|is resolved|ticket status|status|解决|已解决|工单状态|状态"),
        ),
        Field(
            "closed_at",
            FieldType.TIME,
            "when it was closed",
            "完成时间",
            synonyms(
                "closed|close date|closed date|resolved at|date closed|solved at|关闭时间|解决时间"
            ),
        ),
        Field(
            "rating",
            FieldType.RATING,
            "satisfaction of the customer",
            "满意度评分",
            synonyms(
                "satisfaction rating|customer satisfaction rating|satisfaction|csat|csat score",
                "satisfaction score|score|stars|满意度|评分|星级|满意度评分(1-5星)",
            ),
        ),
        Field(
            "comment",
            FieldType.PROSE,
            "what the customer wrote with the rating",
            "评价",
            synonyms("rating comment|survey comment|review|customer comment|评价内容|评语"),
        ),
        Field(
            "content",
            FieldType.PROSE,
            "what the customer asked or said",
            "反馈内容",
            synonyms(
                "description|ticket description|body|message|feedback|text|内容|问题描述|反馈"
            ),
        ),
        Field(
            "subject",
            FieldType.TEXT,
            "short summary",
            "标题",
            synonyms("ticket subject|title|summary|工单标题"),
        ),
        Field(
            "priority",
            FieldType.PRIORITY,
            "low, normal, high or urgent",
            "优先级",
            synonyms("ticket priority|severity|urgency|紧急程度"),
        ),
    ),
    one_of=("key", "customer", "opened_at", "subject", "content"),
)
