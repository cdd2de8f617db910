"""From the text of a cell to a JSON value, or a reason why not."""
