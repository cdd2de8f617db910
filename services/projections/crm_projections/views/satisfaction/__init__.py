"""How satisfied customers say they are: scores, response rates, by whom and about what."""
