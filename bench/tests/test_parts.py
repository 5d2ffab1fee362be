"""What every figure rests on."""

import pytest
from django.db import connection

from bench.figures import figure, percentile
from bench.load import request
from bench.mails import mails
from bench.rows import MadeRows
from omni.channels.email.parsing import parse_mail
from tests import builders as b


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [([5], 0.5, 5), ([1, 2, 3, 4], 0.5, 2), ([4, 3, 2, 1], 0.99, 4), (range(1, 101), 0.95, 95), (range(1, 201), 0.99, 198)],
)
def test_percentile_is_the_nearest_rank(values, share, found):
    assert percentile(list(values), share) == found


def test_a_figure_carries_its_share_of_the_limit():
    assert figure("x", 30, "1/s", 120).ratio == 0.25
    assert figure("x", 30, "1/s").ratio is None


def test_a_request_says_how_long_its_body_is():
    sent = request("POST", "/a/", "ё".encode(), X_Key="7")
    head, _blank, body = sent.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /a/ HTTP/1.1"
    assert {b"Content-Length: 2", b"X-Key: 7"} <= set(head.split(b"\r\n"))
    assert body.decode() == "ё"


def test_mails_are_the_same_for_a_seed_and_read_without_a_defect():
    made = list(mails(24, to="help@shop.example", seed=3))
    assert made == list(mails(24, to="help@shop.example", seed=3))
    read = [parse_mail(raw) for raw in made]
    assert not [mail.defects for mail in read if mail.defects]
    assert all("Обращение" in mail.text for mail in read)
    assert any(mail.attachments for mail in read)


@pytest.mark.django_db(transaction=True)
def test_made_rows_are_counted_and_made_again_in_copies():
    database = connection.settings_dict
    url = f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    with MadeRows(url) as made:
        b.a_store()
    assert made.numbers() == {"stores_chain": 1, "stores_region": 1, "stores_store": 1}
    assert made.seconds_raw(2) > 0
    with connection.cursor() as cursor:
        cursor.execute("select number from bench_raw_stores_store")
        assert cursor.fetchall() == [("4217",)]
        for table in ("chain", "region", "store"):
            cursor.execute(f"drop table bench_raw_stores_{table}")
        cursor.execute("select relname from pg_class where relname like 'bench\\_made\\_%' and relkind = 'r'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"drop table {table}")
        cursor.execute("drop function bench_keep")
