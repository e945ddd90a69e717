"""A worker's jobs: one thread at a time, and nothing that was asked for is forgotten."""

import threading

from mailbot.worker import Job


def test_work_that_is_asked_for_while_it_is_done_is_done_once_more_by_the_same_thread() -> None:
    begun, go_on, by = threading.Event(), threading.Event(), []

    def work() -> None:
        by.append(threading.current_thread())
        begun.set()
        assert go_on.wait(10)

    job = Job("deliver", work)
    first = threading.Thread(target=job.turn)
    first.start()
    assert begun.wait(10)
    job.turn()
    job.turn()
    assert by == [first]
    go_on.set()
    first.join(10)
    assert by == [first, first]


def test_a_job_that_breaks_has_its_next_turn() -> None:
    turns: list[int] = []

    def work() -> None:
        turns.append(len(turns))
        raise ValueError

    job = Job("deliver", work)
    job.turn()
    job.turn()
    assert turns == [0, 1]
