"""Counters by trigger: whatever changes an item, and however many at once, its counters change in the same transaction."""

from django.db import migrations

FORWARD = """
create function worklist_bucket(state varchar, owner bigint) returns varchar language sql immutable as
    $$ select case when state = 'waiting' and owner is null then 'queue' else 'taken' end $$;
create function worklist_count() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into worklist_counterdelta (group_id, bucket, change)
        select group_id, worklist_bucket(state, owner_id), count(*)::int from new_rows where state <> 'closed' group by 1, 2;
    elsif tg_op = 'DELETE' then
        insert into worklist_counterdelta (group_id, bucket, change)
        select group_id, worklist_bucket(state, owner_id), -count(*)::int from old_rows where state <> 'closed' group by 1, 2;
    else
        insert into worklist_counterdelta (group_id, bucket, change)
        select group_id, bucket, sum(change)::int from (
            select group_id, worklist_bucket(state, owner_id) as bucket, 1 as change from new_rows where state <> 'closed'
            union all
            select group_id, worklist_bucket(state, owner_id), -1 from old_rows where state <> 'closed'
        ) as moved group by 1, 2 having sum(change) <> 0;
    end if;
    return null;
end $$;
create trigger worklist_count_added after insert on worklist_item
    referencing new table as new_rows for each statement execute function worklist_count();
create trigger worklist_count_removed after delete on worklist_item
    referencing old table as old_rows for each statement execute function worklist_count();
create trigger worklist_count_changed after update on worklist_item
    referencing old table as old_rows new table as new_rows for each statement execute function worklist_count();
"""
BACKWARD = """
drop trigger worklist_count_changed on worklist_item;
drop trigger worklist_count_removed on worklist_item;
drop trigger worklist_count_added on worklist_item;
drop function worklist_count();
drop function worklist_bucket(varchar, bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("worklist", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
