"""How cost grows: one history, measured at ten thousand events, a hundred thousand, a million."""
