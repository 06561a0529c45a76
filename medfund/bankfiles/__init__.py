"""Bank files: what the fund tells its bank, and what the bank answers.

`messages` says what is in a file, whatever it looks like; `iso20022` and `templates` write and read two kinds of looks;
`folders` hands files over and takes them in. Every file that is not as it should be raises `refusals.BadFile`.
"""
