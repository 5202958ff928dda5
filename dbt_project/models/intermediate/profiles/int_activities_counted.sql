with
activities as (select * from {{ ref('stg_crm__activities') }}),

rules as (
    {{ rows_in_force(ref('activity_rules')) }}
),

{# The same contact entered twice is one contact. #}
first_entries as (
    select min(activity_id) as activity_id
    from activities
    group by
        account_id,
        coalesce(owner_id, ''),
        activity_kind,
        took_place_at
),

{# Nobody calls or visits five companies at one moment: they were logged in bulk. #}
bulk as (
    select
        activities.owner_id,
        activities.activity_kind,
        activities.took_place_at
    from activities
    cross join rules
    where
        activities.activity_kind in ('call', 'visit', 'meeting')
        and activities.owner_id is not null
    group by
        activities.owner_id,
        activities.activity_kind,
        activities.took_place_at,
        rules.bulk_accounts
    having count(distinct activities.account_id) >= rules.bulk_accounts
),

counted as (
    select activities.*
    from activities
    inner join first_entries on activities.activity_id = first_entries.activity_id
    cross join rules
    left join bulk
        on
            activities.owner_id = bulk.owner_id
            and activities.activity_kind = bulk.activity_kind
            and activities.took_place_at = bulk.took_place_at
    where
        bulk.owner_id is null
        and coalesce(activities.minutes, 0) <= rules.most_minutes
)

select * from counted
