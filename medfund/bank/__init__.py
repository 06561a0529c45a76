"""A bank to test against: it takes payment files from `out/` and puts its answers into `in/`, and is on no other wire.

It keeps books of its own, so that it knows what the fund cannot know: how often it was asked for a payment, and how
often it made it. It is as safe as the other side has to be: killed at any point, it pays once and answers once.
"""
