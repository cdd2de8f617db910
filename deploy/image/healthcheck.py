"""Exit 0 when this container's process says that it is ready, 1 with the reason when not."""

import os
import sys
from urllib.error import HTTPError, URLError
from urllib.request import urlopen


def main() -> str | None:
    """The reason for not being ready."""
    url = f"http://127.0.0.1:{os.environ['CRM_HEALTH_PORT']}/readyz"
    try:
        with urlopen(url, timeout=4):
            return None
    except HTTPError as error:
        return error.read().decode()
    except (URLError, OSError) as error:
        return f"{url}: {error}"


if __name__ == "__main__":
    sys.exit(main())
