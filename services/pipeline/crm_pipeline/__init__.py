"""Pipeline owns deals on their way through versioned stages, and the orders and payments after."""
