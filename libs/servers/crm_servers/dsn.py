"""DSNs as URLs, whatever form they came in: psycopg and SQLAlchemy both take those."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

PLACED = {"user", "password", "host", "port", "dbname"}


def url_of(parts: Mapping[str, str | int | None]) -> str:
    """The URL of libpq parameters such as `psycopg.conninfo.conninfo_to_dict` gives."""
    text = {key: str(value) for key, value in parts.items() if value is not None}
    login = quote(text.get("user", ""), safe="")
    if "password" in text:
        login += ":" + quote(text["password"], safe="")
    place = text.get("host", "")
    if "port" in text:
        place += ":" + text["port"]
    query = urlencode({key: value for key, value in text.items() if key not in PLACED})
    url = f"postgresql://{login}{'@' if login else ''}{place}/{quote(text.get('dbname', ''))}"
    return f"{url}?{query}" if query else url
