"""What ticketing decides: pure, so that deciding and replaying give the same answer for ever."""
