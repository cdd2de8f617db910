"""What this software does in a second, beside what the bare parts below it do in the same minute.

`make bench` runs every benchmark: ours and its baseline in turns, several rounds, over the same
real servers. It reports ratios, because figures of two machines, or of two hours on one machine,
cannot be compared. Nothing fails on a timing; what fails is work that was not done.
"""
