"""Points spent in parallel from fifty threads with kills: never below zero, nothing lost, nothing twice."""

import random
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.db.models import Min, Sum

from loyalty.models import Account, Alarm, Lot, Transfer
from loyalty.services import accounts, proof
from loyalty.tests.builders import NOW, a_wallet, available
from loyalty.tests.spender import orders_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults, pytest.mark.timeout(300)]
PROCESSES, KILLS, START = 5, 8, 1000


def spender(seed, environment):
    arguments = [sys.executable, "-m", "loyalty.tests.spender", str(seed)]
    environment = {**environment, "DJANGO_SETTINGS_MODULE": "config.settings"}
    return subprocess.Popen(arguments, env=environment, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True)


def lowest():
    return Account.objects.filter(kind="available").aggregate(least=Min("balance"))["least"]


def test_fifty_threads_and_kills(product_environment):
    wallets = [available(a_wallet(START)) for _n in range(4)]
    till, source = accounts.house("redeem:lukoshko"), accounts.house("issue:lukoshko")
    chance, running = random.Random(7), {seed: spender(seed, product_environment) for seed in range(PROCESSES)}
    least = START
    try:
        for _kill in range(KILLS):
            seed = chance.choice(list(running))
            running[seed].stdout.readline()  # it has begun to spend, or has ended
            deadline = time.monotonic() + chance.uniform(0.05, 0.5)
            while time.monotonic() < deadline and running[seed].poll() is None:
                least = min(least, lowest())
            running[seed].kill()
            running[seed].wait(10)
            running[seed] = spender(seed, product_environment)
        codes = {seed: process.wait(200) for seed, process in running.items()}
    finally:
        for process in running.values():
            process.kill()
            process.stdout.close()
    assert codes == dict.fromkeys(range(PROCESSES), 0)
    assert min(least, lowest()) >= 0
    orders = {order.id: order for seed in range(PROCESSES) for order in orders_of(seed, wallets, till, source)}
    made = list(Transfer.objects.filter(pk__in=list(orders)))
    for transfer in made:
        order = orders[transfer.pk]
        assert (transfer.kind, transfer.debit_id, transfer.credit_id, transfer.amount) == (
            order.kind,
            order.debit,
            order.credit,
            order.amount,
        )
    accrued = sum(order.amount for order in orders.values() if order.kind == "accrual")
    assert sum(one.amount for one in made if one.kind == "accrual") == accrued  # an accrual always fits: none is lost
    spent = sum(one.amount for one in made if one.kind == "spend")
    assert spent > 4 * START * 0.9, "the wallets were to be emptied"
    left = Account.objects.filter(kind="available").aggregate(all=Sum("balance"))["all"]
    assert left == 4 * START + accrued - spent
    assert left == Lot.objects.aggregate(all=Sum("left"))["all"]
    assert proof.find_faults(now=NOW) == []
    assert not Alarm.objects.exists()
