"""The ledger's two round trips as functions (their plans are kept with the connection), and transfers that nobody changes.

loyalty_open_books locks the accounts in ascending order, then reads under those locks: each statement of a volatile function sees what
was committed before it. loyalty_write writes a batch that has been decided on.
"""

from django.db import migrations

FORWARD = """
create function loyalty_open_books(accounts bigint[], orders uuid[], payers bigint[], refunds uuid[]) returns json
language plpgsql volatile set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare locked json; house json; known json; used json; open_lots json;
begin
    select json_agg(json_build_array(x.id, x.kind, x.balance, x.reserved)) into locked from (
        select id, kind, balance, reserved from loyalty_account where id = any(accounts) and kind <> 'house' order by id for no key update
    ) x;
    select json_agg(id) into house from loyalty_account where id = any(accounts) and kind = 'house';
    select json_agg(json_build_array(id, kind, debit_id, credit_id, amount, subject, refund_of, reservation)) into known
    from loyalty_transfer where id = any(orders || refunds);
    if refunds <> '{}' then
        select json_agg(json_build_array(transfer, lot_id, amount, returned) order by id) into used
        from loyalty_lotuse where transfer = any(refunds);
    end if;
    if payers <> '{}' or used is not null then
        select json_agg(json_build_array(id, account_id, "left", ends_at)) into open_lots from (
            select id, account_id, "left", ends_at from loyalty_lot where account_id = any(payers) and "left" > 0
            union
            select l.id, l.account_id, l."left", l.ends_at from loyalty_lot l
            where l.id in (select lot_id from loyalty_lotuse where transfer = any(refunds))
        ) y;
    end if;
    return json_build_object('accounts', locked, 'house', house, 'known', known, 'uses', used, 'lots', open_lots);
end $$;

create function loyalty_write(transfers json, balances json, house json, lots json, lot_changes json, uses json, returns json) returns void
language plpgsql volatile set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    insert into loyalty_transfer
        (id, kind, debit_id, credit_id, amount, at, subject, reason, by_id, approved_by_id, refund_of, reservation)
    select * from json_to_recordset(transfers) as t(
        id uuid, kind text, debit bigint, credit bigint, amount bigint, at timestamptz, subject text, reason text, by bigint,
        approved_by bigint, refund_of uuid, reservation uuid);
    if balances is not null then
        update loyalty_account a set balance = a.balance + d.amount
        from json_to_recordset(balances) as d(id bigint, amount bigint) where a.id = d.id;
    end if;
    if house is not null then
        insert into loyalty_housedelta (account_id, amount) select * from json_to_recordset(house) as d(id bigint, amount bigint);
    end if;
    if lots is not null then
        insert into loyalty_lot (id, account_id, amount, "left", ends_at) select * from json_to_recordset(lots) as l(
            id uuid, account bigint, amount bigint, "left" bigint, ends_at timestamptz);
    end if;
    if lot_changes is not null then
        update loyalty_lot l set "left" = c."left", ends_at = c.ends_at
        from json_to_recordset(lot_changes) as c(id uuid, "left" bigint, ends_at timestamptz) where l.id = c.id;
    end if;
    if uses is not null then
        insert into loyalty_lotuse (transfer, lot_id, amount, returned) select * from json_to_recordset(uses) as u(
            transfer uuid, lot uuid, amount bigint, returned bigint);
    end if;
    if returns is not null then
        update loyalty_lotuse u set returned = u.returned + r.amount
        from json_to_recordset(returns) as r(transfer uuid, lot uuid, amount bigint) where u.transfer = r.transfer and u.lot_id = r.lot;
    end if;
end $$;

create function loyalty_transfer_stays() returns trigger language plpgsql as $$
begin raise exception 'a transfer of points is never changed or removed: correct it by another transfer'; end $$;
create trigger loyalty_transfer_stays before update or delete on loyalty_transfer
for each statement execute function loyalty_transfer_stays();
"""
BACKWARD = """
drop trigger loyalty_transfer_stays on loyalty_transfer;
drop function loyalty_transfer_stays();
drop function loyalty_write(json, json, json, json, json, json, json);
drop function loyalty_open_books(bigint[], uuid[], bigint[], uuid[]);
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
