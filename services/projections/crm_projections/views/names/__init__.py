"""What ids are called, for showing: reports keep ids, and names are looked up beside them."""
