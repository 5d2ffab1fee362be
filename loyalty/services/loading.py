"""Checked rows become points, portion by portion, each in one transaction with its own progress; the totals are proved at the end."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _t

from loyalty.import_rules import Wrong
from loyalty.models import Import
from loyalty.services import accounts, import_steps
from loyalty.services.checking import reject, transfer_sql
from loyalty.services.ledger import again
from loyalty.services.points import terms_of
from loyalty.services.proof import Finding, raise_alarm
from loyalty.states import AlarmCheck, ImportKind, ImportState, TransferKind

ROWS = 20_000

_PORTION = """
drop table if exists pg_temp.portion, pg_temp.paid;
create temporary table portion on commit drop as
select r.line, r.card, r.points, r.ends_on, r.on_date, {transfer} as transfer,
    coalesce(w.merged_into_id, c.wallet_id) as wallet, c.id is null as is_new
from loyalty_importrow r left join loyalty_card c on c.number = r.card left join loyalty_wallet w on w.id = c.wallet_id
where r.owner_id = %(owner)s and r.line > %(after)s order by r.line limit %(rows)s
"""
_STEPS = """
update portion set wallet = nextval(pg_get_serial_sequence('loyalty_wallet', 'id')) where is_new;
insert into loyalty_wallet (id, created_at) select wallet, %(now)s from portion where is_new;
insert into loyalty_card (number, chain_id, wallet_id, state, created_at)
    select card, %(chain)s, wallet, 'active', %(now)s from portion where is_new;
create temporary table paid on commit drop as
    with sums as (select wallet, sum(points)::bigint as points from portion group by wallet),
    accounts as (
        insert into loyalty_account (kind, wallet_id, balance, reserved)
        select 'available', wallet, points, 0 from sums order by wallet
        on conflict (wallet_id, kind) do update set balance = loyalty_account.balance + excluded.balance
        returning id, wallet_id
    ) select id, wallet_id as wallet from accounts;
insert into loyalty_transfer (id, kind, debit_id, credit_id, amount, at, subject, reason, by_id, approved_by_id)
    select p.transfer, %(kind)s, %(house)s, paid.id, p.points, %(now)s, %(subject)s, coalesce(p.on_date::text, ''), %(by)s, %(approved)s
    from portion p join paid on paid.wallet = p.wallet where p.points > 0;
insert into loyalty_lot (id, account_id, amount, "left", ends_at)
    select p.transfer, paid.id, p.points, p.points,
        coalesce((p.ends_on + 1)::timestamp at time zone %(zone)s, greatest(p.on_date, %(now)s::date) + %(life)s * interval '1 day')
    from portion p join paid on paid.wallet = p.wallet where p.points > 0;
insert into loyalty_housedelta (account_id, amount) select %(house)s, -sum(points) from portion having sum(points) > 0;
"""
_LOADED = "select count(*), coalesce(sum(points), 0)::bigint, max(line) from portion"
_PROOF = """
select count(*), coalesce(sum(r.points), 0)::bigint, count(t.id), coalesce(sum(t.amount), 0)::bigint,
    count(l.id), coalesce(sum(l.amount), 0)::bigint
from loyalty_importrow r
left join loyalty_transfer t on t.id = {transfer} and t.subject = %(subject)s
left join loyalty_lot l on l.id = t.id
where r.owner_id = %(owner)s and r.points > 0
"""


def load_portion(work: Import, *, now: datetime) -> bool:
    """Load the next rows; False when there are none left."""
    return again(lambda: _load(work, now))


def _load(work: Import, now: datetime) -> bool:
    with transaction.atomic():
        Import.objects.select_for_update(no_key=True).get(pk=work.pk)
        work.refresh_from_db()
        if work.state != ImportState.LOADING:
            return True  # stopped meanwhile
        _drop_late(work)
        values = _values(work, now)
        with connection.cursor() as cursor:
            cursor.execute(_PORTION.format(transfer=transfer_sql(work.kind)), values)
            cursor.execute(_LOADED)
            rows, points, line = cursor.fetchone()
            if not rows:
                return False
            cursor.execute("analyze portion")
            cursor.execute(_STEPS, values)
        Import.objects.filter(pk=work.pk).update(
            loaded_rows=F("loaded_rows") + rows, loaded_points=F("loaded_points") + points, loaded_line=line
        )
    return True


def _values(work: Import, now: datetime) -> dict[str, Any]:
    opening = work.kind == ImportKind.BALANCES
    return {
        "owner": work.pk,
        "after": work.loaded_line,
        "rows": ROWS,
        "now": now,
        "chain": work.chain_id,
        "kind": str(TransferKind.OPENING if opening else TransferKind.ACCRUAL),
        "house": accounts.house(f"opening:{work.chain.code}") if opening else accounts.issue(work.chain),
        "subject": f"import:{work.pk}",
        "by": work.created_by_id,
        "approved": work.approved_by_id,
        "zone": settings.TIME_ZONE,
        "life": terms_of(work.chain).life_days,
    }


def _drop_late(work: Import) -> None:
    """What another file brought in after this one was checked."""
    code = Wrong.OPENED if work.kind == ImportKind.BALANCES else Wrong.ACCRUED
    after, known = work.loaded_line, transfer_sql(work.kind)
    portion = f"select line from loyalty_importrow where owner_id = %(owner)s and line > {after} order by line limit {ROWS}"  # noqa: S608  numbers
    ahead = f"r.line > {after} and r.line <= (select max(line) from ({portion}) x)"  # noqa: S608
    ahead += f" and exists (select 1 from loyalty_transfer t where t.id = {known})"  # noqa: S608
    if late := reject(work, code, ahead):
        Import.objects.filter(pk=work.pk).update(good_rows=F("good_rows") - late, rejected_rows=F("rejected_rows") + late)


def finish_load(work: Import, *, now: datetime) -> None:
    """Prove that rows, transfers and lots come to the same; DONE, or WRONG with an alarm."""
    proof = _proof(work)
    equal = len({proof["file_rows"], proof["transfers"], proof["lots"]}) == 1 and (
        len({proof["file_points"], proof["transferred_points"], proof["lot_points"], proof["loaded_points"]}) == 1
    )
    with transaction.atomic():
        Import.objects.filter(pk=work.pk).update(proof=proof, good_points=proof["file_points"])
        import_steps.move(work, ImportState.DONE if equal else ImportState.WRONG, now=now)
        if not equal:
            finding = Finding(AlarmCheck.IMPORT_TOTALS, f"import:{work.pk}", proof["file_points"], proof["transferred_points"])
            raise_alarm(finding, now=now, text=_t("The totals of the import %(name)s differ.") % {"name": work.name})


def _proof(work: Import) -> dict[str, int]:
    names = ("file_rows", "file_points", "transfers", "transferred_points", "lots", "lot_points")
    values: dict[str, Any] = {"owner": work.pk, "chain": work.chain_id, "subject": f"import:{work.pk}"}
    with connection.cursor() as cursor:
        cursor.execute(_PROOF.format(transfer=transfer_sql(work.kind)), values)
        found = dict(zip(names, map(int, cursor.fetchone()), strict=True))
    work.refresh_from_db()
    return {**found, "loaded_points": work.loaded_points}
