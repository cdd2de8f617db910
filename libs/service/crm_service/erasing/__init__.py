"""What every context does for subjects: tells what it holds of one, and forgets an erased one."""
