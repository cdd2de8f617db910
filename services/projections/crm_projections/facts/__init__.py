"""What every view's facts are made of: instants, amounts, and intervals over two times."""
