"""The published language as JSON Schema 2020-12, one committed file for each stored name.

`python -m crm_events.schemas check` refuses a change that events already stored would not survive;
`write` puts the files in step with the classes where that is allowed.
"""
