"""A file of balances checked, loaded and proved; the same rows by COPY."""

import random
import tempfile
import time
from pathlib import Path

from django.utils import timezone

from bench.tasks import copied
from loyalty.models import Import
from loyalty.services import import_steps, imports, proof
from loyalty.states import ImportState
from stores.models import Chain


def run(*, rows: int, seed: int) -> dict[str, float]:
    """Seconds of checking and of loading, the seconds that COPY takes for the file's rows and for the made ones, and failing proofs."""
    chain = Chain.objects.get_or_create(code="bench", defaults={"name": "Bench"})[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "balances.csv"
        _write(path, rows, seed)
        with path.open("rb") as content:
            work = import_steps.keep(Import(name=f"bench-{seed}", chain=chain), by=None, now=timezone.now(), content=content)
    checking = _timed(work, import_steps.start_check)
    work.refresh_from_db()
    loading = _timed(work, import_steps.approve)
    work.refresh_from_db()
    if work.state != ImportState.DONE or work.loaded_rows != rows:
        raise RuntimeError(f"the import ended as {work.state} with {work.loaded_rows} of {rows} rows: {work.proof}")
    return {
        "checking": checking,
        "loading": loading,
        "copy_file": copied.seconds({"loyalty_importrow": f"owner_id = {work.pk}"}),
        "copy_made": copied.seconds(_made(work)),
        "faults": len(proof.find_faults(now=timezone.now())),
    }


def _timed(work, step):
    begun = time.perf_counter()
    step(work=work, by=None, now=timezone.now())
    if not imports.carry_on(import_id=work.pk, seconds=3600):
        raise RuntimeError("the import did not come to its end")
    return time.perf_counter() - begun


def _write(path, rows, seed):
    chance = random.Random(seed)
    with path.open("w") as file:
        file.write("card,points,expires\n")
        for number in range(rows):
            file.write(f"{seed:04}{number:012},{chance.randint(1, 5000)},{'2031-01-31' if number % 3 else ''}\n")


def _made(work):
    cards = f"number in (select card from loyalty_importrow where owner_id = {work.pk})"
    wallets = f"select wallet_id from loyalty_card where {cards}"
    transfers = f"subject = 'import:{work.pk}'"
    return {
        "loyalty_wallet": f"id in ({wallets})",
        "loyalty_card": cards,
        "loyalty_account": f"wallet_id in ({wallets})",
        "loyalty_transfer": transfers,
        "loyalty_lot": f"id in (select id from loyalty_transfer where {transfers})",
    }
