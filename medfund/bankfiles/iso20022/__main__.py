"""The schema's judge in a process of its own: a file of a kind on standard input, one verdict on standard output."""

import sys

from medfund.bankfiles.iso20022 import kinds
from medfund.bankfiles.iso20022.judging import BAD, CHUNK_BYTES, GOOD, Judge
from medfund.bankfiles.refusals import BadFile


def verdict(name: str) -> bytes:
    [kind] = [kind for kind in kinds.KINDS.values() if kind.name == name]
    judge = Judge(kind)
    try:
        while chunk := sys.stdin.buffer.read(CHUNK_BYTES):
            judge.feed(chunk)
        judge.close()
    except BadFile as refused:
        return BAD + refused.detail.encode()
    return GOOD


if __name__ == "__main__":
    sys.stdout.buffer.write(verdict(sys.argv[1]))
