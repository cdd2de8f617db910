"""Currencies as people write them: ISO codes, signs and words."""

from __future__ import annotations

from typing import Final

_SIGNS: Final = {
    "$": "USD",
    "us$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "CNY",
    "元": "CNY",
    "人民币": "CNY",
    "rmb": "CNY",
    "cn¥": "CNY",
    "美元": "USD",
    "欧元": "EUR",
    "港元": "HKD",
    "港币": "HKD",
    "hk$": "HKD",
    "日元": "JPY",
    "jp¥": "JPY",
    "円": "JPY",
    "₹": "INR",
    "rs": "INR",
    "rs.": "INR",
    "₩": "KRW",
    "₽": "RUB",
    "₺": "TRY",
    "₫": "VND",
    "฿": "THB",
    "₴": "UAH",
    "₱": "PHP",
    "₪": "ILS",
    "zł": "PLN",
    "kč": "CZK",
    "r$": "BRL",
    "a$": "AUD",
    "c$": "CAD",
    "ca$": "CAD",
    "au$": "AUD",
    "s$": "SGD",
    "nt$": "TWD",
}
_SHARED_SIGNS: Final = {
    "$": frozenset(("USD", "AUD", "CAD", "HKD", "MXN", "NZD", "SGD", "TWD", "CLP", "COP", "ARS")),
    "¥": frozenset(("CNY", "JPY")),
    "元": frozenset(("CNY", "TWD", "HKD")),
}
_ISO_4217: Final = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP "
    "BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
    "GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR "
    "KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK "
    "MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR "
    "SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS "
    "UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG"
)
_CODES: Final = frozenset(_ISO_4217.split())


def currency_of(word: str, expected: str | None = None) -> str | None:
    """The ISO code that a word or sign means, else None.

    A sign shared by several currencies means the expected one when that is among them, and
    otherwise the US dollar or the yuan.
    """
    sign = word.strip().casefold()
    if expected in _SHARED_SIGNS.get(sign, ()):
        return expected
    if sign in _SIGNS:
        return _SIGNS[sign]
    return sign.upper() if sign.upper() in _CODES else None
