"""Who and what appears in the sample; all of it invented."""

from __future__ import annotations

from typing import Final

STAFF: Final = (
    ("Ingrid Falk", None, "North", "Sales"),
    ("Ana Prieto", "Ingrid Falk", "North", "Sales"),
    ("陈立", "Ingrid Falk", "East", "Sales"),
    ("Tomás Vega", "Ingrid Falk", "South", "Sales"),
    ("周敏", None, "East", "Service"),
    ("Leila Haddad", "周敏", "East", "Service"),
    ("Piet Jansen", "周敏", "North", "Service"),
)
"""Name, manager, region, team."""

SELLERS: Final = ("Ana Prieto", "陈立", "Tomás Vega")
AGENTS: Final = ("周敏", "Leila Haddad", "Piet Jansen")

ORGANISATIONS: Final = (
    ("Northwind Foods", "retail"),
    ("青松科技", "software"),
    ("Bergmann Optik", "medical"),
    ("Delta Freight", "logistics"),
    ("海星旅行", "travel"),
    ("Casa Lumen", "retail"),
    ("Orchard Labs", "medical"),
    ("远山教育", "education"),
    ("Viktor & Söhne", "manufacturing"),
    ("Blue Heron Bank", "finance"),
    ("云帆物流", "logistics"),
    ("Atlas Bikes", "manufacturing"),
)
"""Name, sector."""

PRODUCTS: Final = (
    ("Desk", "Core", 900),
    ("Desk Plus", "Core", 2_400),
    ("Insight", "Analytics", 5_200),
    ("Insight Pro", "Analytics", 11_800),
)
"""Name, series, list price."""

STAGES: Final = (
    ("understand", "了解 Understand", 0.1, "需跟进"),
    ("trial", "试用 Trial", 0.35, "需评估"),
    ("offer", "报价 Offer", 0.7, None),
)
"""Key, name, probability, note."""
WON_NAME: Final = "购买 Purchase"

CAMPAIGNS: Final = (
    ("Spring fair", "offline-event", 6_000),
    ("搜索推广", "sem", 4_000),
    ("Partner webinar", "partner", 1_500),
)
"""Name, channel, budget."""

SOURCES: Final = ("seo", "sem", "partner", "offline-event", "media")
LOST_REASONS: Final = ("price", "no decision", "competitor", "wrong time")
CATEGORIES: Final = ("产品质量 Quality", "服务态度 Attitude", "订单延迟 Delay", "Billing", "How to")
CHANNELS: Final = ("phone", "e-mail", "web")
SEGMENTS: Final = ("small", "medium", "large")
REGIONS: Final = ("North", "East", "South")

GIVEN_NAMES: Final = ("Mara", "Jonas", "丽", "伟", "Sofia", "Emre", "静", "Noah", "Yuki", "Aisha")
FAMILY_NAMES: Final = (
    "Lindt",
    "王",
    "Okafor",
    "李",
    "Moreau",
    "Kaya",
    "张",
    "Novak",
    "Silva",
    "赵",
)
