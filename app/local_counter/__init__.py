"""A counter on its own machine: the same page, and passes verified when the line is down."""
