"""How long a view takes to say what was so at an instant, over a million events of its own."""
