with
activities as (select * from {{ ref('int_activities_counted') }}),
cases as (select * from {{ ref('stg_crm__cases') }}),

services as (
    select
        account_id,
        took_place_date as day,
        case
            when activity_kind in ('visit', 'meeting') then coalesce(minutes, 0)
            else 0
        end as visit_minutes,
        case when activity_kind = 'call' then 1 else 0 end as calls,
        0 as tickets
    from activities

    union all

    select
        account_id,
        opened_date as day,
        0 as visit_minutes,
        0 as calls,
        1 as tickets
    from cases
),

summed as (
    select
        account_id,
        day,
        sum(visit_minutes) as visit_minutes,
        sum(calls) as calls,
        sum(tickets) as tickets
    from services
    group by account_id, day
)

select * from summed
