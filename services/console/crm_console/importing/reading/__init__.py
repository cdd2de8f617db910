"""From bytes to records: encoding, delimiter, quoting and headers, without knowing any field."""
