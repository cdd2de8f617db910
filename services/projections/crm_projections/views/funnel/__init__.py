"""How many units reach each stage, how many go on, and how many are lost."""
