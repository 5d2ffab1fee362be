"""The process's one client."""

import sys
from threading import Barrier, Thread

from core import redis


def test_threads_that_ask_first_at_once_get_the_same_client():
    redis._client.cache_clear()
    together, found, usual = Barrier(16), [], sys.getswitchinterval()

    def ask():
        together.wait(timeout=10)
        found.append(redis.client())

    threads = [Thread(target=ask) for _ in range(16)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=10)
    finally:
        sys.setswitchinterval(usual)
    assert len(found) == 16
    assert len({id(client) for client in found}) == 1
    assert found[0].ping()
