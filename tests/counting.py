"""What attacks are counted by: inputs that were refused, calls that were made, answers that broke, ways out taken."""

from collections import Counter

SEEN: Counter[str] = Counter()
"""Counts of this process since it began; whoever wants those of one test subtracts."""
