"""The real relay, feed, reactions, views and timers over a broker that misbehaves, in virtual time:
one thread, one seed, and whatever is killed or frozen between any two of their steps."""
