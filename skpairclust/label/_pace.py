"""How long people have worked, from the times of their answers."""

from datetime import datetime

# A longer gap between two answers is a break: in seconds.
_BREAK = 60
# What the first answer after a break took, as people need it for a pair.
_USUAL = 8


def minutes_of(answers):
    """Return the minutes of work behind answers, of all people together.

    Parameters
    ----------
    answers : list of Answer
    """
    seconds, last = 0.0, {}
    for answer in answers:
        time = datetime.fromisoformat(answer.time).timestamp()
        gap = time - last.get(answer.who, float("-inf"))
        seconds += gap if 0 <= gap <= _BREAK else _USUAL
        last[answer.who] = time
    return seconds / 60
